import { z } from 'zod';
import { type Route, route } from './route.js';
import type { Runtime } from './runtime.js';

const PING_MS = 1_000;

/** `live`: the process turns; `ready`: database and Redis answer within a second. */
export function healthRoutes({ db, redis }: Runtime): Route[] {
  const ready = z.strictObject({ ready: z.boolean(), database: z.boolean(), redis: z.boolean() });
  return [
    route({
      method: 'GET',
      path: '/health/live',
      audience: 'public',
      tag: 'Health',
      summary: 'Whether the process runs',
      summaryZh: '存活检查',
      answers: { 200: { description: 'It runs', schema: z.strictObject({ live: z.literal(true) }) } },
      handle: async () => ({ status: 200, body: { live: true } }),
    }),
    route({
      method: 'GET',
      path: '/health/ready',
      audience: 'public',
      tag: 'Health',
      summary: 'Whether database and Redis answer',
      summaryZh: '就绪检查',
      answers: { 200: { description: 'Both answer', schema: ready }, 503: { description: 'One does not', schema: ready } },
      handle: async () => {
        const [database, redisAnswers] = await Promise.all([answers(() => db.ping()), answers(() => redis.ping())]);
        const body = { ready: database && redisAnswers, database, redis: redisAnswers };
        return { status: body.ready ? 200 : 503, body };
      },
    }),
  ];
}

async function answers(ping: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), PING_MS);
  });
  const pinged = ping().then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([pinged, late]);
  } finally {
    clearTimeout(timer);
  }
}
