import { auditTrail, operatorAuthentication, operatorRoutes } from './operators/index.js';
import { platformAuthentication, platformRoutes } from './platforms/index.js';
import { clockRoutes, createHttpApp, type Route, type StartedRuntime } from './runtime/index.js';

/** Every route of the service, part by part in the order of the folders. */
export function allRoutes(runtime: StartedRuntime): Route[] {
  const { drivenClock, redis, config } = runtime;
  return [
    ...(drivenClock ? clockRoutes(drivenClock, redis, config.REDIS_PREFIX) : []),
    ...platformRoutes(runtime),
    ...operatorRoutes(runtime),
  ];
}

/** The API without a port: what `main.ts` listens with and tests call. */
export function createApp(runtime: StartedRuntime) {
  return createHttpApp({
    routes: allRoutes(runtime),
    authenticate: { platform: platformAuthentication(runtime), operator: operatorAuthentication(runtime) },
    audit: auditTrail(runtime),
    runtime,
  });
}
