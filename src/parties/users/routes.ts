import { z } from 'zod';
import { type Id, Refused } from '../../kernel/index.js';
import {
  idAfter,
  ONE_PLACE,
  page,
  pageQuery,
  pageSchema,
  preferredWaitMs,
  problemOf,
  problemSchema,
  type Route,
  type Runtime,
  readJson,
  route,
  type ShapeFault,
  shape,
  shapeInvalid,
  type Tx,
  userNo as userNoSchema,
  waitFor,
  wireId,
} from '../../runtime/index.js';
import type { Particulars } from './particulars.js';
import { findUser, listUsers, type User, usersByNumber } from './records.js';
import { isRegistration, type NewUser, registerUsers, tryUser } from './register.js';
import { requireUser } from './standing.js';
import { dryRunSchema, looseParty, showUser, userRequest, userSchema } from './wire.js';

export const userParams = z.strictObject({ user: wireId('user') });
const users = { audience: 'platform', tag: 'Users' } as const;

const REFUSALS = [
  'USER_NO_REUSED',
  'ID_NUMBER_INVALID',
  'USCC_INVALID',
  'PARTICULARS_INVALID',
  'MINOR_NOT_ALLOWED',
  'ID_DOCUMENT_EXPIRED',
  'MOBILE_TAKEN',
] as const;

const WAIT_MS = 2_000;

/** People and companies as a platform knows them: registering, and what became of it. */
export function userRoutes(rt: Runtime): Route[] {
  return [registerRoute(rt), dryRunRoute(rt), batchRoute(rt), listRoute(rt), readRoute(rt)];
}

function registerRoute(rt: Runtime): Route {
  return route({
    ...users,
    method: 'POST',
    path: '/v1/users',
    summary: 'Registers a person or company, whose identity is then verified',
    summaryZh: '用户注册（实名核验）',
    description:
      'The user number is remembered for ever: the same particulars again get the first answer again. Waits up to two seconds for the ' +
      'verification; `Prefer: wait=N` or `Prefer: respond-async` change that. Then 202 and a status address.',
    body: userRequest,
    answers: {
      201: { description: 'Registered and decided: see its state', schema: userSchema },
      200: { description: 'Registered before, with the same particulars', schema: userSchema },
      202: { description: 'Registered; the identity is being verified', schema: userSchema },
    },
    refusals: REFUSALS,
    handle: async ({ caller, body, headers }) => {
      const [result] = await registerUsers(rt, caller.platformId, [body as NewUser]);
      if (result === undefined || !isRegistration(result)) throw new Refused(result ?? { code: 'FAULT' });
      if (!result.repeated) await rt.bells.ring('verify-users', ONE_PLACE);
      const decided = await waitFor(rt.clock, preferredWaitMs(headers.prefer, WAIT_MS), () => decidedUser(rt, result.user));
      const shown = showUser(decided ?? result.user, result.party);
      const status = shown.state === 'pending' ? 202 : result.repeated ? 200 : 201;
      return { status, body: shown, headers: { Location: `/v1/users/${shown.id}` } };
    },
  });
}

async function decidedUser({ db }: Runtime, { platformId, id }: User): Promise<User | undefined> {
  const user = await db.read('user', (tx) => findUser(tx, platformId, id));
  return user?.state === 'pending' ? undefined : user;
}

function dryRunRoute(rt: Runtime): Route {
  return route({
    ...users,
    method: 'POST',
    path: '/v1/users/dry-run',
    summary: 'Tells all faults of a registration at once and changes nothing',
    summaryZh: '开户资料预检',
    description:
      'Shape, check digits, dates, age, mobile number. Who somebody really is, and whether the bank serves him, it does not tell.',
    body: 'raw',
    rawBody: { schema: userRequest, mediaTypes: ['application/json'] },
    answers: { 200: { description: 'Every fault', schema: dryRunSchema } },
    handle: async ({ caller, text }) => {
      const { value, faults: numbers } = readJson(text);
      const shaped = shape(userRequest, value, 'body');
      const given = (value ?? {}) as { userNo?: unknown; party?: unknown };
      const userNo = userNoSchema.safeParse(given.userNo).data;
      const whole = shaped.faults === undefined ? (shaped.value.party as Particulars) : undefined;
      const told = await tryUser(rt, caller.platformId, { userNo, party: whole ?? looseParty(given.party), whole });
      const faults = [...shapeFaults([...numbers, ...(shaped.faults ?? [])]), ...told];
      return { status: 200, body: { acceptable: faults.length === 0, faults } };
    },
  });
}

function shapeFaults(faults: readonly ShapeFault[]) {
  return faults.map(({ pointer, detail }) => ({ code: 'SHAPE_INVALID' as const, pointer, detail }));
}

const LINES_MAX = 1_000;
const BATCH_BYTES = 2 * 1024 * 1024;

const batchLine = z.strictObject({
  line: z.int().meta({ description: 'From 1' }),
  userNo: z.string().nullable(),
  status: z.int().meta({ description: '202 registered, 200 registered before; else the status of the problem' }),
  user: userSchema.optional(),
  problem: problemSchema.optional(),
});

function batchRoute(rt: Runtime): Route {
  return route({
    ...users,
    method: 'POST',
    path: '/v1/users/batches',
    summary: `Takes over up to ${LINES_MAX} users from elsewhere, whose customers activate them later`,
    summaryZh: '存量用户批量导入',
    description:
      'Each line is judged for itself, its shape too. Identities are verified as of any other user; then a user is `to-activate` and can do ' +
      'nothing until its customer has activated it. Repeat it as often as you like.',
    body: 'raw',
    rawBody: { schema: z.array(userRequest).min(1).max(LINES_MAX), mediaTypes: ['application/json'] },
    bodyLimit: BATCH_BYTES,
    answers: { 200: { description: 'The result of each line', schema: z.strictObject({ items: z.array(batchLine) }) } },
    refusals: REFUSALS,
    handle: async ({ caller, text, requestId }) => {
      const lines = readLines(text);
      const sound = lines.flatMap(({ asked }) => (asked === undefined ? [] : [asked]));
      const places = lines.flatMap(({ asked }, index) => (asked === undefined ? [] : [index]));
      const results = await registerUsers(rt, caller.platformId, sound, {
        takenOver: true,
        root: (line) => `/${places[line]}`,
      });
      if (sound.length > 0) await rt.bells.ring('verify-users', ONE_PLACE);
      const items = lines.map(({ asked, userNo, refused }, index) => {
        const line = { line: index + 1, userNo };
        const result = asked === undefined ? refused : results[places.indexOf(index)];
        if (result !== undefined && isRegistration(result))
          return { ...line, status: result.repeated ? 200 : 202, user: showUser(result.user, result.party) };
        const problem = problemOf(result ?? { code: 'FAULT' }, requestId);
        return { ...line, status: problem.status, problem };
      });
      return { status: 200, body: { items } };
    },
  });
}

/** @throws Refused BODY_MALFORMED, or SHAPE_INVALID when it is no list of 1 to 1,000 */
function readLines(text: string) {
  const { value, faults } = readJson(text);
  const list = shape(z.array(z.unknown()).min(1).max(LINES_MAX), value, 'body');
  if (list.faults !== undefined) throw shapeInvalid(list.faults);
  return list.value.map((line, index) => {
    const root = `/${index}`;
    const shaped = shape(userRequest, line, 'body', root);
    const numbers = faults.filter(({ pointer }) => pointer === root || pointer.startsWith(`${root}/`));
    const userNo = userNoSchema.safeParse((line as { userNo?: unknown } | null)?.userNo).data ?? null;
    if (shaped.faults === undefined && numbers.length === 0)
      return { userNo, asked: shaped.value as NewUser, refused: undefined };
    return { userNo, asked: undefined, refused: shapeInvalid([...numbers, ...(shaped.faults ?? [])]).refusal };
  });
}

function listRoute(rt: Runtime): Route {
  return route({
    ...users,
    method: 'GET',
    path: '/v1/users',
    summary: 'Users in the order they were registered, or one by its number',
    summaryZh: '用户列表',
    query: z.strictObject({ ...pageQuery, userNo: userNoSchema.optional() }),
    answers: { 200: { description: 'A page', schema: pageSchema(userSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ caller, query }) => {
      const after = idAfter('users', query.cursor) ?? '0';
      const rows = await rt.db.read('users', (tx) => usersAsked(tx, caller.platformId, { ...query, after }));
      const show = (user: User) => showUser(user, partyOf(rt, user));
      return { status: 200, body: page('users', rows, query.limit, (user) => [user.id], show) };
    },
  });
}

async function usersAsked(
  tx: Tx,
  platformId: Id,
  { userNo, after, limit }: { userNo?: string | undefined; after: string; limit: number },
): Promise<User[]> {
  if (userNo === undefined) return listUsers(tx, platformId, after, limit + 1);
  return [...(await usersByNumber(tx, platformId, [userNo])).values()];
}

function readRoute(rt: Runtime): Route {
  return route({
    ...users,
    method: 'GET',
    path: '/v1/users/{user}',
    summary: 'One user and what became of its verification',
    summaryZh: '用户详情',
    params: userParams,
    answers: { 200: { description: 'The user as it stands', schema: userSchema } },
    handle: async ({ caller, params }) => {
      const { user } = await rt.db.read('user', (tx) => requireUser(tx, caller.platformId, params.user, rt.vault));
      return { status: 200, body: showUser(user, partyOf(rt, user)) };
    },
  });
}

function partyOf({ vault }: Pick<Runtime, 'vault'>, user: User): Particulars {
  return JSON.parse(vault.open(user.particularsSealed)) as Particulars;
}
