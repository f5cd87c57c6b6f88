/** Tenants: who is calling, by the signature of the request. */
export { platformAuthentication } from './authenticate.js';
export { addKey, createPlatform, type NewPlatform, revokeKey, setState } from './registry.js';
export { platformRoutes, platformSchema, showPlatform } from './routes.js';
export { type SigningParts, signRequest } from './signer.js';
export { listPlatformRows, type PlatformRow, type PlatformState, readPlatform } from './store.js';
