/** Tenants: who is calling, by the signature of the request. */
export { platformAuthentication } from './authenticate.js';
export { addKey, createPlatform, revokeKey, setState } from './registry.js';
export { platformRoutes, platformSchema, showPlatform } from './routes.js';
export { PROFILES, type Profile } from './rules.js';
export { signRequest } from './signer.js';
export { readPlatform } from './store.js';
