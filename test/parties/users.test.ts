import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { PersonEntry } from '../../src/channels/simulator/people.js';
import { asId } from '../../src/kernel/index.js';
import { activateUser, changeMobile, customerOf, declineUser, takeCustomer } from '../../src/parties/index.js';
import { loadParameters } from '../../src/runtime/index.js';
import { type Answered, company, type Desk, openDesk, person, residentId, TODAY } from './desk.js';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk?.close());
afterEach(() => desk.faults());

const count = async (table: string) => Number((await desk.rows<{ n: string }>(`SELECT COUNT(*) AS n FROM ${table}`))[0]?.n);
const bare = (wire: string) => wire.slice(4);
const codes = ({ body }: Answered) => (body.faults as { code: string; pointer: string }[]).map((f) => `${f.code} ${f.pointer}`);
const known = (of: ReturnType<typeof person>, more: Record<string, unknown> = {}) =>
  desk.bank.bank.people.put([PersonEntry.parse({ idNo: of.party.idNo, name: of.party.name, ...more })]);

describe('registering', () => {
  it('answers before the identity is verified, and shows nothing whole', async () => {
    const asked = person(1);
    const first = await desk.register(asked);
    expect([first.status, first.body.state]).toEqual([202, 'pending']);
    expect(first.body.party).toEqual({
      kind: 'person',
      name: '钱**',
      idType: 'resident-id',
      idNo: expect.stringMatching(/^110\*{13}..$/),
      idExpires: '2099-12-31',
      mobile: '139****0001',
    });
    await desk.ask();
    const user = await desk.user(first.body.id);
    expect(user).toMatchObject({ state: 'verified', refusal: null, userNo: 'U-1' });
    expect(JSON.stringify(user)).not.toContain(asked.party.idNo);
  });

  it('answers the same number and particulars with the first, in whatever order the fields come', async () => {
    const asked = person(2);
    const first = await desk.register(asked);
    const turned = { party: Object.fromEntries(Object.entries(asked.party).reverse()), userNo: asked.userNo };
    const again = await desk.register(turned);
    expect([again.status, again.body.id]).toEqual([202, first.body.id]);
    await desk.ask();
    const late = await desk.register(asked);
    expect([late.status, late.body.id, late.body.state]).toEqual([200, first.body.id, 'verified']);
    const other = await desk.register({ ...asked, party: { ...asked.party, occupation: '医生' } });
    expect([other.status, other.body.code]).toEqual([409, 'USER_NO_REUSED']);
    // The same number is another user at another platform.
    expect((await desk.register(asked, desk.other)).body.id).not.toBe(first.body.id);
  });

  it('waits for the worker where the caller does, and answers what became of it', async () => {
    const waiting = desk
      .call('POST', '/v1/users', person(9), desk.platform, { headers: { prefer: 'wait=20' } })
      .then((answer) => answer);
    let answered: Answered | undefined;
    const done = waiting.then((answer) => {
      answered = answer;
    });
    while (answered === undefined) await desk.ask();
    await done;
    expect([answered.status, answered.body.state]).toEqual([201, 'verified']);
  });

  it('registers one of many that come at once', async () => {
    const before = await count('users');
    const answers = await Promise.all(Array.from({ length: 8 }, () => desk.register(person(3))));
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect((await count('users')) - before).toBe(1);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['a script tag for a name', { name: '<script>alert(1)</script>' }, '/party/name'],
    ['a name that is turned round by a mark', { name: '王\u202e明' }, '/party/name'],
    ['a name in letters that run from the right', { name: 'שלום' }, '/party/name'],
    ['a name with a line break', { name: '王\n明' }, '/party/name'],
    ['full-width digits in the number', { idNo: '１１０１０５１９４９１２３１００２Ｘ' }, '/party/idNo'],
    ['a full-width mobile number', { mobile: '１３８００００００００' }, '/party/mobile'],
    ['an address that hides text', { address: '某路\u200b1号' }, '/party/address'],
    ['an address with a tag', { address: '<img src=x>' }, '/party/address'],
    ['a date that does not exist', { idExpires: '2099-02-29' }, '/party/idExpires'],
    ['an unknown field', { note: 'x' }, '/party/note'],
    ['a credit code for a document', { idType: 'uscc' }, '/party/idType'],
  ])('refuses %s by its shape', async (_what, more, pointer) => {
    const before = await count('users');
    const { status, body } = await desk.register(person(4, more));
    expect([status, body.code]).toEqual([400, 'SHAPE_INVALID']);
    expect(body.errors.map((error: { pointer: string }) => error.pointer)).toEqual([pointer]);
    expect(await count('users')).toBe(before);
  });

  it('tells every fault of the particulars at once', async () => {
    const { status, body } = await desk.register(person(5, { idNo: '110105194912310021', idExpires: '2091-03-04' }));
    expect([status, body.code]).toEqual([422, 'ID_NUMBER_INVALID']);
    expect(codes({ status, body })).toEqual(['ID_NUMBER_INVALID /party/idNo', 'ID_DOCUMENT_EXPIRED /party/idExpires']);
    expect(JSON.stringify(body)).not.toContain('110105194912310021');
  });

  it('refuses minors, to the day', async () => {
    const { body } = await desk.register(person(6, { idNo: residentId('2073-03-06', 1) }));
    expect(body.code).toBe('MINOR_NOT_ALLOWED');
    expect((await desk.register(person(6, { idNo: residentId('2073-03-05', 1) }))).status).toBe(202);
  });

  it('shows a platform nothing of another', async () => {
    const { body } = await desk.register(person(7));
    expect((await desk.call('GET', `/v1/users/${body.id}`, undefined, desk.other)).status).toBe(404);
    const list = await desk.call('GET', '/v1/users?userNo=U-7', undefined, desk.other).expect(200);
    expect(list.body.items).toEqual([]);
    const own = await desk.call('GET', '/v1/users?userNo=U-7').expect(200);
    expect(own.body.items.map((item: { id: string }) => item.id)).toEqual([body.id]);
  });

  it('keeps nothing plain in the database', async () => {
    const asked = person(8, { address: '密封路9号', occupation: '海员' });
    await desk.settled(asked);
    const dump = JSON.stringify([
      await desk.rows('SELECT * FROM users'),
      await desk.rows('SELECT * FROM customers'),
      await desk.rows('SELECT * FROM verifications'),
      await desk.rows('SELECT * FROM customer_identities'),
    ]);
    for (const plain of [asked.party.idNo, asked.party.name, asked.party.mobile, '密封路', '海员'])
      expect(dump).not.toContain(plain);
  });
});

describe('a dry run', () => {
  const dry = (body: unknown) => desk.call('POST', '/v1/users/dry-run', body).expect(200);

  it('tells shape, check digits, dates, age and a taken mobile together, and changes nothing', async () => {
    const holder = person(20);
    await desk.settled(holder);
    const before = [await count('users'), await count('customers'), await count('verifications')];
    const { body } = await dry({
      userNo: 'has a blank',
      extra: 1,
      party: {
        ...person(21).party,
        name: '<b>',
        idNo: '110105194912310021',
        idExpires: '2000-01-01',
        mobile: holder.party.mobile,
      },
    });
    expect(body.acceptable).toBe(false);
    expect(codes({ status: 200, body }).sort()).toEqual(
      [
        'SHAPE_INVALID /userNo',
        'SHAPE_INVALID /extra',
        'SHAPE_INVALID /party/name',
        'ID_NUMBER_INVALID /party/idNo',
        'ID_DOCUMENT_EXPIRED /party/idExpires',
        'MOBILE_TAKEN /party/mobile',
      ].sort(),
    );
    expect([await count('users'), await count('customers'), await count('verifications')]).toEqual(before);
  });

  it('looks into a company part by part', async () => {
    const asked = company(20);
    const { body } = await dry({
      ...asked,
      party: {
        ...asked.party,
        idNo: '91350100M000100Y44',
        representative: { ...asked.party.representative, name: '', idNo: residentId('2080-01-01', 1) },
        owners: [{ ...asked.party.owners[0], share: 2_000, idNo: 'X' }, 7],
      },
    });
    expect(codes({ status: 200, body })).toEqual(
      expect.arrayContaining([
        'USCC_INVALID /party/idNo',
        'SHAPE_INVALID /party/representative/name',
        'MINOR_NOT_ALLOWED /party/representative/idNo',
        'PARTICULARS_INVALID /party/owners/0/share',
        'ID_NUMBER_INVALID /party/owners/0/idNo',
        'SHAPE_INVALID /party/owners/1',
      ]),
    );
  });

  it('finds nothing wrong with what is right, and a used number wrong', async () => {
    expect((await dry(person(22))).body).toEqual({ acceptable: true, faults: [] });
    await desk.register(person(22));
    expect((await dry(person(22))).body.acceptable).toBe(true);
    const other = await dry({ ...person(23), userNo: 'U-22' });
    expect(codes(other)).toEqual(['USER_NO_REUSED /userNo']);
  });

  it.each([
    ['null', 'null'],
    ['a list', '[]'],
    ['text', '"x"'],
    ['a party of no kind', '{"userNo":"A","party":{"kind":"ghost"}}'],
  ])('survives %s', async (_what, body) => {
    expect((await dry(body)).body.acceptable).toBe(false);
  });
});

describe('verification', () => {
  it('refuses a user whose number has another name, and one whose number nobody has; the answers stay', async () => {
    known(person(30), { name: '另外某人' });
    known(person(31), { issued: false });
    const differs = await desk.settled(person(30));
    expect(differs).toMatchObject({ state: 'refused', refusal: { code: 'IDENTITY_NAME_DIFFERS', who: 'self' } });
    const unknown = await desk.settled(person(31));
    expect(unknown).toMatchObject({ state: 'refused', refusal: { code: 'IDENTITY_UNKNOWN', who: 'self' } });
    const [record] = await desk.rows('SELECT * FROM verifications WHERE user_id = ?', [bare(unknown.id)]);
    expect(record).toMatchObject({ kind: 'identity', subject: 'self', result: 'unknown-number', evidence: expect.any(String) });
    // For good: the same again answers the first.
    const again = await desk.register(person(31));
    expect([again.status, again.body.refusal.code]).toEqual([200, 'IDENTITY_UNKNOWN']);
  });

  it('asks again after a growing pause where nobody answered, and keeps every try', async () => {
    const asked = person(32);
    desk.faults({ scope: 'verification', fault: 'garbage', on: 'identity', messageNo: asked.party.idNo, times: 2 });
    const { body } = await desk.register(asked);
    await desk.ask();
    expect((await desk.user(body.id)).state).toBe('pending');
    await desk.ask();
    expect(await desk.rows('SELECT attempts FROM users WHERE id = ?', [bare(body.id)])).toEqual([{ attempts: 1 }]);
    desk.pass(1_000);
    await desk.ask();
    desk.pass(1_000);
    await desk.ask();
    expect(await desk.rows('SELECT attempts FROM users WHERE id = ?', [bare(body.id)])).toEqual([{ attempts: 2 }]);
    desk.pass(1_000);
    await desk.ask();
    expect((await desk.user(body.id)).state).toBe('verified');
    const tries = await desk.rows<{ result: string }>('SELECT result FROM verifications WHERE user_id = ? ORDER BY id', [
      bare(body.id),
    ]);
    expect(tries.map((row) => row.result)).toEqual(['unanswered', 'unanswered', 'match']);
  });

  it('makes one customer of one person on two platforms, though both are verified at once', async () => {
    const before = await count('customers');
    for (let n = 40; n < 60; n += 1) {
      await desk.register(person(n));
      await desk.register(person(n), desk.other);
    }
    await Promise.all([desk.ask(), desk.ask(), desk.ask()]);
    await desk.ask();
    expect((await count('customers')) - before).toBe(20);
    const users = await desk.rows<{ state: string; customers: string; users: string }>(
      `SELECT user_no, MIN(state) AS state, COUNT(DISTINCT customer_id) AS customers, COUNT(*) AS users FROM users
       WHERE user_no BETWEEN 'U-40' AND 'U-59' AND LENGTH(user_no) = 4 GROUP BY user_no`,
    );
    expect(users).toHaveLength(20);
    expect(users.every((row) => row.state === 'verified' && Number(row.customers) === 1 && Number(row.users) === 2)).toBe(true);
  });

  it('lets one of two identities with one mobile have it, though both are verified at once', async () => {
    const pairs = Array.from({ length: 12 }, (_, n) => [100 + 2 * n, 101 + 2 * n] as const);
    for (const [one, two] of pairs) {
      await desk.register(person(one, { mobile: `137${String(one).padStart(8, '0')}` }));
      await desk.register(person(two, { mobile: `137${String(one).padStart(8, '0')}` }), desk.other);
    }
    await Promise.all([desk.ask(), desk.ask()]);
    for (const [one, two] of pairs) {
      const rows = await desk.rows<{ state: string; refusal: string | null }>(
        'SELECT state, refusal FROM users WHERE user_no IN (?, ?) ORDER BY state',
        [`U-${one}`, `U-${two}`],
      );
      expect(rows.map((row) => [row.state, row.refusal && JSON.parse(row.refusal).code])).toEqual([
        ['refused', 'MOBILE_TAKEN'],
        ['verified', null],
      ]);
    }
    const shared = await desk.rows(
      'SELECT mobile_index FROM customers WHERE kind = ? GROUP BY mobile_index HAVING COUNT(*) > 1',
      ['person'],
    );
    expect(shared).toEqual([]);
  });

  it('refuses a number that another holds at once, and tells only who has shown who he is that his own differs', async () => {
    const first = await desk.settled(person(130));
    await desk.rt.db.withTx('its card said so', (tx) =>
      tx.write('UPDATE customers AS c JOIN users AS u ON u.customer_id = c.id SET c.mobile_verified = 1 WHERE u.id = ?', [
        bare(first.id),
      ]),
    );
    const { body } = await desk.register(person(131, { mobile: person(130).party.mobile }));
    expect(body.code).toBe('MOBILE_TAKEN');
    const mine = await desk.settled({ ...person(130, { mobile: '13600000130' }), userNo: 'U-130b' });
    expect(mine).toMatchObject({ state: 'refused', refusal: { code: 'MOBILE_DIFFERS' } });
  });

  it('lets nobody keep a person out by a number that only a platform said was his', async () => {
    await desk.settled(person(135));
    const own = { ...person(135, { mobile: '13600000135' }), userNo: 'U-135b' };
    expect(await desk.settled(own, desk.other)).toMatchObject({ state: 'verified', refusal: null });
    // Which of the two is his, a card's bank will say: until then he is reached as before.
    const found = await desk.asStaff('POST', '/admin/v1/customers/search', { mobile: '13900000135' }).expect(200);
    expect(found.body.items).toMatchObject([{ mobile: '139****0135', mobileVerified: false }]);
  });

  it('knows a customer by his new name, once whoever issued his number says so', async () => {
    const before = person(140);
    const user = await desk.settled(before);
    const after = { ...person(140, { name: '新名氏' }), userNo: 'U-140b' };
    known(before, { name: '新名氏' });
    expect((await desk.settled(after)).state).toBe('verified');
    const [row] = await desk.rows<{ customer_id: string }>('SELECT customer_id FROM users WHERE id = ?', [bare(user.id)]);
    const customer = await desk.rt.db.read('customer', (tx) => customerOf(tx, asId(row?.customer_id as string), desk.rt.vault));
    expect(customer?.name).toBe('新名氏');
  });

  it('lets one of two customers change to the same mobile at once; the other keeps his', async () => {
    const ids: string[] = [];
    for (const n of [150, 151]) {
      const user = await desk.settled(person(n));
      const [row] = await desk.rows<{ customer_id: string }>('SELECT customer_id FROM users WHERE id = ?', [bare(user.id)]);
      ids.push(row?.customer_id as string);
    }
    const { rt } = desk;
    const change = (id: string, mobile: string) =>
      rt.db.withTx('change mobile', async (tx) => {
        const customer = await takeCustomer(tx, asId(id), rt.vault);
        const rules = { today: TODAY, parameters: await loadParameters(tx), vault: rt.vault, nowMs: rt.clock.now() };
        return customer && (await changeMobile(tx, customer, mobile, rules));
      });
    const results = await Promise.all(ids.map((id) => change(id, '13500000150')));
    expect(results.map((refusal) => refusal?.code ?? 'changed').sort()).toEqual(['MOBILE_TAKEN', 'changed']);
    const mobiles = await rt.db.read('mobiles', async (tx) => {
      const all = [];
      for (const id of ids) all.push((await customerOf(tx, asId(id), rt.vault))?.mobile);
      return all;
    });
    const loser = results.findIndex((refusal) => refusal !== undefined);
    expect(mobiles[loser]).toBe(`13900000${150 + loser}`);
    expect(mobiles[1 - loser]).toBe('13500000150');
    // What the winner left is free, and what the loser kept is not.
    expect((await desk.register(person(152, { mobile: `13900000${150 + (1 - loser)}` }))).status).toBe(202);
    expect((await desk.register(person(153, { mobile: `13900000${150 + loser}` }))).body.code).toBe('MOBILE_TAKEN');
  });

  it('asks after a company, who represents it and who acts for it', async () => {
    const asked = company(30);
    const user = await desk.settled(asked);
    expect(user.state).toBe('verified');
    expect(user.party).toMatchObject({ kind: 'company', idType: 'uscc', owners: [{ share: 6_000 }] });
    expect(JSON.stringify(user)).not.toContain(asked.party.representative.idNo);
    const records = await desk.rows<{ subject: string }>('SELECT subject FROM verifications WHERE user_id = ? ORDER BY id', [
      bare(user.id),
    ]);
    expect(records.map((row) => row.subject)).toEqual(['self', 'representative', 'operator']);
  });

  it('refuses a company whose representative is not who he says, and says whom it means', async () => {
    const asked = company(31);
    desk.bank.bank.people.put([PersonEntry.parse({ idNo: asked.party.representative.idNo, name: '另外某人' })]);
    const user = await desk.settled(asked);
    expect(user).toMatchObject({ state: 'refused', refusal: { code: 'IDENTITY_NAME_DIFFERS', who: 'representative' } });
  });

  it('asks nobody twice what it knew, where a worker died in between', async () => {
    const asked = company(32);
    desk.faults({ scope: 'verification', fault: 'garbage', on: 'identity', messageNo: asked.party.operator.idNo, times: 1 });
    const { body } = await desk.register(asked);
    await desk.ask();
    desk.pass(1_000);
    await desk.ask();
    expect((await desk.user(body.id)).state).toBe('verified');
    const records = await desk.rows<{ subject: string; result: string }>(
      'SELECT subject, result FROM verifications WHERE user_id = ? ORDER BY id',
      [bare(body.id)],
    );
    expect(records.map((row) => `${row.subject} ${row.result}`)).toEqual([
      'self match',
      'representative match',
      'operator unanswered',
      'operator match',
    ]);
  });
});

describe('taking users over from elsewhere', () => {
  const batch = (lines: unknown) => desk.call('POST', '/v1/users/batches', lines);

  it('judges line by line, shape too, and lets nobody act before he activated it', async () => {
    const taken = await desk.register(person(200));
    const { body } = await batch([
      person(201),
      { userNo: 'U-202', party: { ...person(202).party, name: '<i>' } },
      person(203, { idNo: '110105194912310021' }),
      person(200, { occupation: '别的' }),
      person(200),
      person(201),
      7,
    ]).expect(200);
    expect(body.items.map((item: { status: number }) => item.status)).toEqual([202, 400, 422, 409, 200, 200, 400]);
    expect(body.items[1].problem.errors[0].pointer).toBe('/1/party/name');
    expect(body.items[2].problem.faults[0].pointer).toBe('/2/party/idNo');
    expect(body.items[4].user.id).toBe(taken.body.id);
    await desk.ask();
    const { id } = body.items[0].user;
    expect((await desk.user(id)).state).toBe('to-activate');
    const { rt, platform, other } = desk;
    const activate = (by: typeof platform) =>
      rt.db.withTx('activate', (tx) => activateUser(tx, asId(bare(id)), by.id, rt.clock.now()));
    await expect(activate(other)).rejects.toMatchObject({ refusal: { code: 'NOT_FOUND' } });
    await activate(platform);
    await activate(platform);
    expect((await desk.user(id)).state).toBe('verified');
  });

  it('gives a mobile number to the first sound line that names it, and tells every later one of another identity', async () => {
    const { mobile } = person(210).party;
    const faulty = person(213, { mobile, idNo: '110105194912310021' });
    const lines = [faulty, person(210), person(211, { mobile }), { ...person(210), userNo: 'U-210b' }, person(212, { mobile })];
    for (let time = 1; time <= 2; time += 1) {
      const { body } = await batch(lines).expect(200);
      const codes = body.items.map((item: { status: number; problem?: { code: string } }) => item.problem?.code ?? item.status);
      const first = time === 1 ? 202 : 200;
      expect(codes).toEqual(['ID_NUMBER_INVALID', first, 'MOBILE_TAKEN', first, 'MOBILE_TAKEN']);
      expect(body.items[2].problem.faults[0].pointer).toBe('/2/party/mobile');
      await desk.ask();
    }
  });

  it('stands when he does not want it: another number of his there waits for him too, elsewhere none does', async () => {
    const { body } = await batch([person(215)]).expect(200);
    await desk.ask();
    const { id } = body.items[0].user;
    const plain = (userNo: string, by?: typeof desk.other) => desk.settled({ ...person(215), userNo }, by);
    expect((await plain('U-215b')).state).toBe('to-activate');
    const decline = () => desk.rt.db.withTx('decline', (tx) => declineUser(tx, asId(bare(id)), desk.rt.clock.now()));
    await decline();
    await decline();
    expect(await desk.user(id)).toMatchObject({ state: 'refused', refusal: { code: 'CONSENT_DECLINED' } });
    expect((await plain('U-215c')).state).toBe('to-activate');
    expect((await plain('U-215', desk.other)).state).toBe('verified');
  });

  it('does not activate what was refused or is not verified yet', async () => {
    known(person(205), { issued: false });
    const { body } = await batch([person(205)]).expect(200);
    const id = asId(bare(body.items[0].user.id));
    const activate = () => desk.rt.db.withTx('activate', (tx) => activateUser(tx, id, desk.platform.id, desk.rt.clock.now()));
    await expect(activate()).rejects.toMatchObject({ refusal: { code: 'IDENTITY_UNVERIFIED' } });
    await desk.ask();
    await expect(activate()).rejects.toMatchObject({ refusal: { code: 'IDENTITY_UNKNOWN' } });
  });

  it('takes a thousand at once, and the same thousand again', async () => {
    const lines = Array.from({ length: 1000 }, (_, n) => person(10_000 + n));
    const first = await batch(lines).expect(200);
    const again = await batch(lines).expect(200);
    expect(first.body.items.every((item: { status: number }) => item.status === 202)).toBe(true);
    expect(again.body.items.every((item: { status: number }) => item.status === 200)).toBe(true);
    const [row] = await desk.rows("SELECT COUNT(*) AS n FROM users WHERE taken_over = 1 AND user_no LIKE 'U-10___'");
    expect(Number(row?.n)).toBe(1000);
    expect((await batch(Array.from({ length: 1001 }, (_, n) => person(n)))).status).toBe(400);
    expect((await batch([])).status).toBe(400);
  });
});
