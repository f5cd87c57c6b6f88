import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type ElectronicAccount, insertElectronicAccounts, standingRefusal } from '../../src/accounts/index.js';
import { asId, type BusinessDate, type Id, type Instant, naturalDate } from '../../src/kernel/index.js';
import { lockShard } from '../../src/ledger/index.js';
import { customerOf, customerStanding, requireActingUser } from '../../src/parties/index.js';
import { loadParameters } from '../../src/runtime/index.js';
import type { TestBook } from '../accounts/books.js';
import { company, type Desk, openDesk, person, TODAY } from './desk.js';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk?.close());
afterEach(() => desk.faults());

const bare = (wire: string) => asId(wire.slice(4));

/** A verified user; answers its id and that of its customer. */
async function known(body: ReturnType<typeof person>, by?: TestBook): Promise<{ user: string; customer: string }> {
  const user = await desk.settled(body, by);
  expect(user.state).toBe('verified');
  const [row] = await desk.rows<{ customer_id: string }>('SELECT customer_id FROM users WHERE id = ?', [bare(user.id)]);
  return { user: user.id, customer: `cus_${row?.customer_id}` };
}

async function stopped(customer: string): Promise<string | null> {
  return (await desk.asStaff('GET', `/admin/v1/customers/${customer}`).expect(200)).body.customer.stopped;
}

const json = (body: unknown) => JSON.stringify(body);
/** What the audit trail shows, newest first. */
const audit = async () =>
  (await desk.asStaff('GET', '/admin/v1/audit?limit=500', undefined, desk.staff.auditor).expect(200)).body.items as {
    action: string;
    outcome: string;
  }[];
async function openTasks(kind: string) {
  const { body } = await desk.asStaff('GET', '/admin/v1/tasks?limit=500').expect(200);
  return (body.items as { id: string; kind: string; customer: string; detail: Record<string, string> }[]).filter(
    (task) => task.kind === kind,
  );
}
const decide = (task: string, decision: string, token = desk.staff.reviewer) =>
  desk.asStaff('POST', `/admin/v1/tasks/${task}/decision`, { decision, reason: '核对完毕' }, token);

/** What may act asks here, as the opening of an account does. */
const act = (user: string, by = desk.platform) =>
  desk.rt.db.read('act', async (tx) => {
    const nowMs = desk.rt.clock.now();
    const asOf = { today: TODAY, nowMs, parameters: await loadParameters(tx) };
    return requireActingUser(tx, { platformId: by.id, userId: bare(user), vault: desk.rt.vault, asOf });
  });
const refusalOf = (work: Promise<unknown>) =>
  work.then(
    () => 'acts',
    (error: { refusal?: { code: string; detail?: string } }) => error.refusal?.code,
  );

let listed = 0;
async function openAccount(customer: string, user: string, book: TestBook): Promise<Id> {
  listed += 1;
  const accountId = desk.rt.newId();
  const virtualNo = `9156${String(listed).padStart(15, '0')}`;
  await desk.rt.db.withTx('account', (tx) =>
    insertElectronicAccounts(
      tx,
      [
        {
          ...{
            accountId,
            platformId: book.id,
            customerId: bare(customer),
            userId: bare(user),
            class: 3,
            virtualNo,
            state: 'active',
          },
          ...{ faceToFace: false, funded: false, aliveMs: null, cardIndex: Buffer.alloc(32), cardClass: '1' },
          ...{ interestFrom: TODAY, openedMs: desk.rt.clock.now(), closedMs: null },
          owner: { stopped: null, idExpires: null, idTaskDueMs: null, documented: false },
        },
      ],
      TODAY,
    ),
  );
  return accountId;
}

const shardOf = async (book: TestBook) =>
  Number((await desk.rows<{ shard_id: number }>('SELECT shard_id FROM books WHERE platform_id = ?', [book.id]))[0]?.shard_id);
const turns = async () =>
  (await desk.rows<{ batch_no: string }>('SELECT batch_no FROM shards ORDER BY id')).map((row) => row.batch_no);

describe('permissions', () => {
  it('let reviewer and operator decide, the auditor read, and the administrator nothing', async () => {
    const { reviewer, operator, auditor, administrator } = desk.staff;
    for (const token of [reviewer, operator, auditor])
      await desk.asStaff('GET', '/admin/v1/customers', undefined, token).expect(200);
    await desk.asStaff('GET', '/admin/v1/customers', undefined, administrator).expect(403);
    const list = { entries: [] };
    await desk.asStaff('PUT', '/admin/v1/watch-list', list, auditor).expect(403);
    await desk.asStaff('PUT', '/admin/v1/watch-list', list, administrator).expect(403);
    await desk.asStaff('PUT', '/admin/v1/watch-list', list, reviewer).expect(200);
  });
});

describe('the watch list', () => {
  const load = (entries: unknown[]) => desk.asStaff('PUT', '/admin/v1/watch-list', { entries }).expect(200);

  it('stops who stands on it when he registers, tells the platform nothing, and raises a task', async () => {
    const asked = person(1);
    await load([{ list: '制裁', idType: 'resident-id', idNo: asked.party.idNo, name: '别名' }]);
    const dry = await desk.call('POST', '/v1/users/dry-run', asked).expect(200);
    expect(dry.body).toEqual({ acceptable: true, faults: [] });
    const user = await desk.settled(asked);
    expect(user).toMatchObject({ state: 'pending', refusal: null });
    expect(await refusalOf(act(user.id))).toBe('IDENTITY_UNVERIFIED');
    const [task] = await openTasks('watch-list');
    expect(task?.detail).toEqual({
      list: '制裁',
      listedName: '别*',
      listedIdType: 'resident-id',
      listedIdNo: expect.stringContaining('***'),
      role: 'self',
      name: '钱**',
      idType: 'resident-id',
      idNo: expect.stringContaining('***'),
    });
    expect(await stopped(task?.customer as string)).toBe('watch-list');
    // It is he: the user that waited is refused, and so is every later one.
    expect((await decide(task?.id as string, 'confirmed').expect(200)).body.state).toBe('confirmed');
    expect(await desk.user(user.id)).toMatchObject({ state: 'refused', refusal: { code: 'WATCH_LISTED' } });
    const again = await desk.settled({ ...asked, userNo: 'U-1b' }, desk.other);
    expect(again).toMatchObject({ state: 'refused', refusal: { code: 'WATCH_LISTED' } });
    expect((await decide(task?.id as string, 'dismissed')).body.code).toBe('TASK_DECIDED');
  });

  it('frees a namesake when staff says that it is not he, and does not stop him for the same entry again', async () => {
    const asked = person(2);
    await load([{ list: '涉案', name: asked.party.name }]);
    const user = await desk.settled(asked);
    expect(user.state).toBe('pending');
    const [task] = await openTasks('watch-list');
    await decide(task?.id as string, 'dismissed').expect(200);
    expect((await desk.user(user.id)).state).toBe('verified');
    expect(await refusalOf(act(user.id))).toBe('acts');
    await load([
      { list: '涉案', name: asked.party.name },
      { list: '涉案', name: '某甲' },
    ]);
    await desk.look();
    expect(await stopped(task?.customer as string)).toBeNull();
    expect(await openTasks('watch-list')).toEqual([]);
  });

  it('is held against every customer when it changes; his shards are taken first', async () => {
    const mine = await known(person(3));
    await known(person(3), desk.other);
    await openAccount(mine.customer, mine.user, desk.platform);
    await openAccount(mine.customer, mine.user, desk.other);
    await load([{ list: '制裁', idType: 'resident-id', idNo: person(3).party.idNo }]);
    const before = await turns();
    await desk.look();
    const after = await turns();
    const shards = [await shardOf(desk.platform), await shardOf(desk.other)];
    expect(new Set(shards).size).toBe(2);
    for (const shard of shards) expect(BigInt(after[shard] as string)).toBeGreaterThan(BigInt(before[shard] as string));
    expect(await stopped(mine.customer)).toBe('watch-list');
    expect(await refusalOf(act(mine.user))).toBe('CUSTOMER_STOPPED');
    const [task] = await openTasks('watch-list');
    await desk.look();
    expect((await openTasks('watch-list')).map(({ id }) => id)).toEqual([task?.id]);
    await decide(task?.id as string, 'dismissed').expect(200);
    expect(await refusalOf(act(mine.user))).toBe('acts');
  });

  it('waits with a stop until the engine is through with the batch that it decides', async () => {
    const mine = await known(person(4));
    await openAccount(mine.customer, mine.user, desk.platform);
    const shard = await shardOf(desk.platform);
    const order: string[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let taken: () => void = () => undefined;
    const locked = new Promise<void>((resolve) => {
      taken = resolve;
    });
    const batch = desk.rt.db.withTx('batch', async (tx) => {
      await lockShard(tx, shard, desk.rt.clock.now());
      taken();
      await held;
      const customer = await customerOf(tx, bare(mine.customer), desk.rt.vault);
      order.push(`batch sees ${customer?.stopped ?? 'free'}`);
    });
    await locked;
    const stop = desk
      .asStaff('POST', `/admin/v1/customers/${mine.customer}/stop`, { reason: 'court', note: '协助冻结' })
      .then(({ status }) => order.push(`stopped ${status}`));
    await desk.rows('SELECT 1'); // the stop is under way and waits for the shard
    release();
    await Promise.all([batch, stop]);
    expect(order).toEqual(['batch sees free', 'stopped 200']);
  });

  it('finds who stands behind a company', async () => {
    const asked = company(1);
    await load([{ list: '制裁', idType: 'resident-id', idNo: asked.party.owners[0]?.idNo, name: '某乙' }]);
    const user = await desk.settled(asked);
    expect(user.state).toBe('pending');
    const [task] = await openTasks('watch-list');
    expect(task?.detail.role).toBe('owner');
    await decide(task?.id as string, 'dismissed').expect(200);
    expect((await desk.user(user.id)).state).toBe('verified');
  });

  it('catches who became a customer while it was loaded', async () => {
    const asked = person(5);
    const mine = await known(asked);
    await load([{ list: '制裁', idType: 'resident-id', idNo: asked.party.idNo }]);
    // As a verification that began before the load would have written it.
    await desk.rt.db.withTx('late', (tx) => tx.write('UPDATE customers SET screened_no = 0 WHERE id = ?', [bare(mine.customer)]));
    await desk.look();
    expect(await stopped(mine.customer)).toBe('watch-list');
    for (const task of await openTasks('watch-list')) await decide(task.id, 'dismissed').expect(200);
  });

  it('is taken as CSV, whole or not at all, and says what it holds', async () => {
    const put = (text: string) =>
      desk.api.call('PUT', '/admin/v1/watch-list', {
        token: desk.staff.operator,
        body: text,
        headers: { 'content-type': 'text/csv' },
      });
    const good = await put('list,name,idType,idNo\r\n"制裁, 一",某丙,,\r\n涉案,,passport,e12345678\r\n').expect(200);
    expect(good.body).toMatchObject({ entries: 2, listNo: expect.any(Number) });
    const bad = await put('list,name,idType,idNo\n制裁,,passport,\n,某丁,,\n').expect(400);
    expect(bad.body.errors.map((error: { pointer: string }) => error.pointer)).toEqual(['/1', '/1', '/2/list']);
    await put('name,list\n某,某\n').expect(400);
    const now = await desk.asStaff('GET', '/admin/v1/watch-list').expect(200);
    expect(now.body).toEqual(good.body);
    expect(await desk.rows('SELECT COUNT(*) AS n FROM watch_entries')).toEqual([{ n: expect.anything() }]);
    const plain = json(await desk.rows('SELECT * FROM watch_entries'));
    expect(plain).not.toContain('某丙');
  });

  it('leaves no name in the audit trail', async () => {
    await load([{ list: '制裁', name: '审计某' }]);
    const trail = json(await audit());
    expect(trail).not.toContain('审计某');
    expect(trail).toContain('not kept');
    await load([]);
  });
});

describe('stops by the staff', () => {
  const post = (customer: string, verb: string, reason: string) =>
    desk.asStaff('POST', `/admin/v1/customers/${customer}/${verb}`, { reason, note: `因${reason}` });

  it('hold until the last reason ended; twice is once; what the watch list stopped is not theirs to free', async () => {
    const mine = await known(person(20));
    expect((await post(mine.customer, 'stop', 'rented-account').expect(200)).body.stopped).toBe('rented-account');
    expect((await post(mine.customer, 'stop', 'rented-account').expect(200)).body.stopped).toBe('rented-account');
    expect((await post(mine.customer, 'stop', 'court').expect(200)).body.stopped).toBe('court');
    expect(await refusalOf(act(mine.user))).toBe('CUSTOMER_STOPPED');
    expect((await post(mine.customer, 'free', 'court').expect(200)).body.stopped).toBe('rented-account');
    expect((await post(mine.customer, 'free', 'court').expect(200)).body.stopped).toBe('rented-account');
    expect((await post(mine.customer, 'free', 'rented-account').expect(200)).body.stopped).toBeNull();
    expect(await refusalOf(act(mine.user))).toBe('acts');
    expect((await post(mine.customer, 'free', 'watch-list')).body.code).toBe('SHAPE_INVALID');
    expect((await post('cus_2236512894231552003', 'stop', 'court')).status).toBe(404);
    const { body } = await desk.asStaff('GET', `/admin/v1/customers/${mine.customer}`).expect(200);
    expect(
      body.stops.map((stop: { reason: string; live: boolean; note: string }) => [stop.reason, stop.live, stop.note]),
    ).toEqual([
      ['rented-account', false, '因rented-account'],
      ['court', false, '因court'],
    ]);
  });

  it('are kept each with a reason when two come at once', async () => {
    const mine = await known(person(21));
    const reasons = ['court', 'rented-account', 'mobile-shared', 'other', 'court', 'other'];
    const answers = await Promise.all(reasons.map((reason) => post(mine.customer, 'stop', reason)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(await stopped(mine.customer)).toBe('court');
    const [row] = await desk.rows('SELECT COUNT(*) AS n FROM customer_stops WHERE customer_id = ? AND live = 1', [
      bare(mine.customer),
    ]);
    expect(Number(row?.n)).toBe(4);
  });
});

describe('an exception for a shared mobile', () => {
  const ask = (of: ReturnType<typeof person>, token = desk.staff.operator) => {
    const { mobile, idType, idNo } = of.party;
    return desk.asStaff('POST', '/admin/v1/mobile-exceptions', { mobile, idType, idNo, reason: '监护人' }, token);
  };

  it('takes two people, and lets this identity have the number and no other', async () => {
    const guardian = person(30);
    await known(guardian);
    const child = person(31, { mobile: guardian.party.mobile });
    expect((await desk.register(child)).body.code).toBe('MOBILE_TAKEN');
    const { body: task } = await ask(child).expect(201);
    expect(task).toMatchObject({ kind: 'mobile-exception', state: 'open', detail: { mobile: '139****0030' } });
    expect((await ask(child).expect(201)).body.id).toBe(task.id);
    expect((await decide(task.id, 'approved', desk.staff.operator)).body.code).toBe('SAME_OPERATOR');
    expect((await decide(task.id, 'confirmed')).body.code).toBe('SHAPE_INVALID');
    expect((await desk.register(child)).body.code).toBe('MOBILE_TAKEN');
    await decide(task.id, 'approved').expect(200);
    expect((await decide(task.id, 'refused')).body.code).toBe('TASK_DECIDED');
    expect((await desk.settled(child)).state).toBe('verified');
    expect((await desk.register(person(32, { mobile: guardian.party.mobile }))).body.code).toBe('MOBILE_TAKEN');
    const trail = (await audit()).filter(({ action }) => action.endsWith('/decision'));
    expect(trail.map((row) => row.outcome)).toEqual(expect.arrayContaining(['SAME_OPERATOR', 'TASK_DECIDED', 'done']));
  });

  it('is a new task after it was refused', async () => {
    const of = person(33, { mobile: person(30).party.mobile });
    const { body: first } = await ask(of).expect(201);
    await decide(first.id, 'refused').expect(200);
    expect((await desk.register(of)).body.code).toBe('MOBILE_TAKEN');
    const { body: second } = await ask(of).expect(201);
    expect(second.id).not.toBe(first.id);
  });
});

describe('another mobile number of a customer without an account', () => {
  const ask = (customer: string, mobile: string, token = desk.staff.operator) =>
    desk.asStaff('POST', `/admin/v1/customers/${customer}/mobile-changes`, { mobile, reason: '柜面核实' }, token);
  const shown = async (customer: string) =>
    (await desk.asStaff('GET', `/admin/v1/customers/${customer}`).expect(200)).body.customer;

  it('takes two members of staff, is verified then, and gives the old number back', async () => {
    const squatter = person(36);
    const { customer } = await known(squatter);
    expect(await shown(customer)).toMatchObject({ mobile: '139****0036', mobileVerified: false });
    await ask(customer, '13600000036', desk.staff.auditor).expect(403);
    await ask('cus_2236512894231552003', '13600000036').expect(404);
    const { body: task } = await ask(customer, '13600000036').expect(201);
    expect(task).toMatchObject({ kind: 'mobile-change', state: 'open', customer });
    expect(task.detail).toEqual({ mobile: '136****0036', reason: '柜面核实' });
    expect((await ask(customer, '13600000036', desk.staff.reviewer).expect(201)).body.id).toBe(task.id);
    expect((await decide(task.id, 'approved', desk.staff.operator)).body.code).toBe('SAME_OPERATOR');
    expect((await decide(task.id, 'done')).body.code).toBe('SHAPE_INVALID');
    expect((await shown(customer)).mobile).toBe('139****0036');
    await decide(task.id, 'approved').expect(200);
    expect((await decide(task.id, 'approved')).body.code).toBe('TASK_DECIDED');
    expect(await shown(customer)).toMatchObject({ mobile: '136****0036', mobileVerified: true });
    // Whose number it was registers with it, and he himself with his own alone.
    expect((await desk.settled(person(37, { mobile: squatter.party.mobile }))).state).toBe('verified');
    const other = { ...person(36, { mobile: '13500000036' }), userNo: 'U-36b' };
    expect(await desk.settled(other)).toMatchObject({ state: 'refused', refusal: { code: 'MOBILE_DIFFERS' } });
    expect((await desk.settled({ ...person(36, { mobile: '13600000036' }), userNo: 'U-36c' })).state).toBe('verified');
    expect(json(await audit())).not.toContain('13600000036');
  });

  it('is refused where another identity has it, stays open then, and can be refused', async () => {
    const { customer } = await known(person(38));
    const { body: task } = await ask(customer, person(30).party.mobile).expect(201);
    expect((await decide(task.id, 'approved')).body.code).toBe('MOBILE_TAKEN');
    expect(await shown(customer)).toMatchObject({ mobile: '139****0038', mobileVerified: false });
    expect((await decide(task.id, 'refused').expect(200)).body.state).toBe('refused');
    expect((await ask(customer, person(30).party.mobile).expect(201)).body.id).not.toBe(task.id);
  });
});

describe('finding and reading customers', () => {
  it('finds by number and by mobile, masked, and leaves the number out of the trail', async () => {
    const asked = person(40);
    const mine = await known(asked);
    const search = (body: unknown) => desk.asStaff('POST', '/admin/v1/customers/search', body);
    const byNumber = await search({ idType: 'resident-id', idNo: asked.party.idNo.toLowerCase() }).expect(200);
    expect(byNumber.body.items.map((item: { id: string }) => item.id)).toEqual([mine.customer]);
    const byMobile = await search({ mobile: asked.party.mobile }).expect(200);
    expect(byMobile.body.items[0]).toMatchObject({ id: mine.customer, mobile: '139****0040' });
    expect((await search({ idType: 'passport', idNo: 'E00000000' }).expect(200)).body.items).toEqual([]);
    expect((await search({ idNo: asked.party.idNo })).status).toBe(400);
    const file = await desk.asStaff('GET', `/admin/v1/customers/${mine.customer}`).expect(200);
    expect(file.body).toMatchObject({
      customer: { id: mine.customer },
      users: [{ id: mine.user, state: 'verified', platform: `plt_${desk.platform.id}` }],
      verifications: [{ kind: 'identity', result: 'match' }],
    });
    const shown = json([byNumber.body, byMobile.body, file.body]);
    for (const plain of [asked.party.idNo, asked.party.name, asked.party.mobile]) expect(shown).not.toContain(plain);
    const trail = json(await audit());
    for (const plain of [asked.party.idNo, asked.party.mobile]) expect(trail).not.toContain(plain);
    expect(trail).toContain(mine.customer);
  });
});

describe('the standing of a customer', () => {
  it('ends with the days of grace after the last day of his document', async () => {
    const parameters = await desk.rt.db.read('parameters', loadParameters);
    const of = (idExpires: string | null, idTaskDueMs: number | null = null) => ({
      stopped: null,
      idExpires: idExpires as BusinessDate | null,
      idTaskDueMs: idTaskDueMs as Instant | null,
    });
    const on = (today: string) => ({ today: today as BusinessDate, nowMs: 1_000 as Instant, parameters });
    expect(customerStanding(of('2026-03-02'), on('2026-05-31'))).toBeUndefined();
    expect(customerStanding(of('2026-03-02'), on('2026-06-01'))?.code).toBe('ID_DOCUMENT_EXPIRED');
    expect(customerStanding(of(null), on('2099-01-01'))).toBeUndefined();
    expect(customerStanding(of(null, 1_001), on('2026-03-02'))).toBeUndefined();
    expect(customerStanding(of(null, 999), on('2026-03-02'))?.code).toBe('CUSTOMER_STOPPED');
  });

  it('ends for openings and questions in the same millisecond as for the engine', async () => {
    const parameters = await desk.rt.db.read('parameters', loadParameters);
    const due = Date.parse('2026-03-10T00:00:00+08:00');
    const owner = { stopped: null, idExpires: null, idTaskDueMs: due as Instant, documented: false };
    const account = { class: 3, state: 'active', aliveMs: null, owner } as unknown as ElectronicAccount;
    const said = [-1, 0, 1].map((after) => {
      const nowMs = (due + after) as Instant;
      return [
        customerStanding(owner, { today: naturalDate(nowMs), nowMs, parameters })?.code,
        standingRefusal({ ...account, accountId: asId('1000000000000000001') }, 'out', nowMs, parameters)?.code,
      ];
    });
    const stopped = ['CUSTOMER_STOPPED', 'CUSTOMER_STOPPED'];
    expect(said).toEqual([[undefined, undefined], stopped, stopped]);
  });
});
