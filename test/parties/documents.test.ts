import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { PersonEntry } from '../../src/channels/simulator/people.js';
import { asId } from '../../src/kernel/index.js';
import { documentStore } from '../../src/parties/documents/document-store.js';
import { signRequest } from '../../src/platforms/index.js';
import type { TestBook } from '../accounts/books.js';
import { pngOf } from '../support/pictures.js';
import { company, type Desk, openDesk, person } from './desk.js';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk?.close());
afterEach(() => desk.faults());

const bare = (wire: string) => asId(wire.slice(4));
let pictures = 0;
/** Another picture each time. */
function png(bytes = 1_500): Buffer {
  pictures += 1;
  return pngOf({ bytes, text: String(pictures) });
}

function upload(user: string, kind: string, bytes: Buffer, type = 'image/png', by: TestBook = desk.platform) {
  const path = `/v1/users/${user}/documents?kind=${kind}`;
  const { keyId, privateKey } = by;
  const headers = signRequest({
    ...{ method: 'POST', url: desk.api.url + path, body: bytes, keyId, privateKey },
    now: desk.rt.clock.wall(),
  });
  return request(desk.api.url)
    .post(path)
    .set({ ...headers, 'content-type': type } as Record<string, string>)
    .serialize((body) => body as string)
    .send(bytes as unknown as string);
}

async function known(body: ReturnType<typeof person>): Promise<{ user: string; customer: string }> {
  const user = await desk.settled(body);
  const [row] = await desk.rows<{ customer_id: string }>('SELECT customer_id FROM users WHERE id = ?', [bare(user.id)]);
  return { user: user.id, customer: `cus_${row?.customer_id}` };
}
const customer = async (id: string) => (await desk.asStaff('GET', `/admin/v1/customers/${id}`).expect(200)).body;
const files = () =>
  readdirSync(desk.documents, { recursive: true, encoding: 'utf8' })
    .map((name) => join(desk.documents, name))
    .filter((name) => statSync(name).isFile());

describe('an image of a document', () => {
  it('is kept sealed, and shown to staff alone, who leave a trace', async () => {
    const mine = await known(person(1));
    const picture = png();
    const { body, status } = await upload(mine.user, 'other', picture);
    expect([status, body]).toEqual([
      201,
      { id: body.id, kind: 'other', mediaType: 'image/png', size: 1_500, sha256: body.sha256, keptAt: expect.any(String) },
    ]);
    const again = await upload(mine.user, 'other', picture);
    expect([again.status, again.body]).toEqual([200, body]);
    const [file] = files();
    expect(files()).toHaveLength(1);
    expect(readFileSync(file as string, 'utf8')).toMatch(/^s1\.k1\.[A-Za-z0-9_-]+$/);
    expect(statSync(file as string).mode & 0o777).toBe(0o600);

    const path = `/admin/v1/customers/${mine.customer}/documents/${body.id}`;
    const seen = await desk.asStaff('GET', path).buffer(true).parse(bytesOf).expect(200);
    expect(Buffer.compare(seen.body as Buffer, picture)).toBe(0);
    expect(seen.headers).toMatchObject({ 'content-type': 'image/png', 'x-content-type-options': 'nosniff' });
    expect(seen.headers['content-disposition']).toMatch(/^attachment/);
    await desk.asStaff('GET', path, undefined, desk.staff.administrator).expect(403);
    const { body: trail } = await desk.asStaff('GET', '/admin/v1/audit?limit=20', undefined, desk.staff.auditor).expect(200);
    const looks = trail.items.filter((item: { action: string }) => item.action.endsWith('/documents/{document}'));
    expect(looks.map((item: { outcome: string }) => item.outcome)).toEqual(['PERMISSION_DENIED', 'done']);
    expect(looks[1].target).toContain(body.id);
    // Under another customer it is not there.
    const other = await known(person(2));
    await desk.asStaff('GET', `/admin/v1/customers/${other.customer}/documents/${body.id}`).expect(404);
    await desk.call('GET', `/v1/users/${mine.user}/documents`, undefined, desk.other).expect(404);
    expect((await desk.call('GET', `/v1/users/${mine.user}/documents`).expect(200)).body.items).toEqual([body]);
  });

  it('is kept once when it comes many times at once', async () => {
    const mine = await known(person(3));
    const picture = png();
    const answers = await Promise.all(Array.from({ length: 5 }, () => upload(mine.user, 'other', picture)));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  });

  it.each<[string, () => Buffer, string, number, string]>([
    ['a script that calls itself a picture', () => Buffer.from('<svg onload=alert(1)>'), 'image/png', 422, 'DOCUMENT_UNREADABLE'],
    ['a picture that calls itself another', () => png(), 'image/jpeg', 422, 'DOCUMENT_UNREADABLE'],
    ['sixteen bytes that begin like a picture', () => png().subarray(0, 16), 'image/png', 422, 'DOCUMENT_UNREADABLE'],
    ['half a picture', () => png(4_000).subarray(0, 2_000), 'image/png', 422, 'DOCUMENT_UNREADABLE'],
    ['a picture that nobody can read', () => pngOf({ width: 199 }), 'image/png', 422, 'DOCUMENT_UNREADABLE'],
    ['nothing', () => Buffer.alloc(0), 'image/png', 422, 'DOCUMENT_UNREADABLE'],
    ['a media type that is not taken', () => png(), 'image/svg+xml', 415, 'MEDIA_TYPE_UNSUPPORTED'],
    ['more than five mebibytes', () => png(5 * 1024 * 1024 + 1), 'image/png', 413, 'BODY_TOO_LARGE'],
  ])('is not %s', async (_what, bytes, type, status, code) => {
    const mine = await known(person(4));
    const before = files().length;
    const answer = await upload(mine.user, 'id-front', bytes(), type);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(files()).toHaveLength(before);
  });

  it('may have five mebibytes to the byte, and holds bytes that are no text', async () => {
    const mine = await known(person(5));
    const picture = png(5 * 1024 * 1024);
    const { body } = await upload(mine.user, 'other', picture).expect(201);
    expect(body.size).toBe(5 * 1024 * 1024);
  });

  it('belongs to a user of the platform', async () => {
    const mine = await known(person(6));
    expect((await upload(mine.user, 'other', png(), 'image/png', desk.other)).status).toBe(404);
    expect((await upload(mine.user, 'selfie', png())).status).toBe(400);
  });
});

describe('a copy of the identity document', () => {
  const due = (id: string, dueMs: number) =>
    desk.rt.db.withTx('due', (tx) => tx.write('UPDATE customers SET id_task_due_ms = ? WHERE id = ?', [dueMs, bare(id)]));
  const tasksOf = async (id: string) =>
    ((await customer(id)).tasks as { id: string; kind: string; state: string; dueAt: string }[]).filter(
      (task) => task.kind === 'id-document',
    );

  const seen = (task: string | undefined, decision: string) =>
    desk.asStaff('POST', `/admin/v1/tasks/${task}/decision`, { decision, reason: '已核对' }, desk.staff.reviewer);

  it('is asked for by one task, and staff who has seen both sides ends the asking', async () => {
    const mine = await known(person(20));
    await due(mine.customer, desk.rt.clock.now() + 7 * 86_400_000);
    await desk.look();
    await desk.look();
    expect((await tasksOf(mine.customer)).map((task) => task.state)).toEqual(['open']);
    await upload(mine.user, 'id-front', png()).expect(201);
    await upload(mine.user, 'id-back', png()).expect(201);
    expect((await customer(mine.customer)).customer).toMatchObject({ documented: false, idDueAt: expect.any(String) });
    const [task, ...more] = await tasksOf(mine.customer);
    expect([task?.state, more]).toEqual(['open', []]);
    // What the law asks for is not waved away.
    expect((await seen(task?.id, 'refused')).body.code).toBe('SHAPE_INVALID');
    await seen(task?.id, 'done').expect(200);
    expect((await customer(mine.customer)).customer).toMatchObject({ documented: true, idDueAt: null });
    await desk.look();
    expect((await tasksOf(mine.customer)).map(({ state }) => state)).toEqual(['done']);
    await upload(mine.user, 'id-back', png()).expect(201);
    expect(await tasksOf(mine.customer)).toHaveLength(1);
  });

  it('is not the same image twice', async () => {
    const mine = await known(person(25));
    const side = png();
    await upload(mine.user, 'id-front', side).expect(201);
    expect((await upload(mine.user, 'id-back', side)).body.code).toBe('DOCUMENT_UNREADABLE');
    await upload(mine.user, 'other', side).expect(201);
    const two = await known(person(26));
    const both = await Promise.all([upload(two.user, 'id-front', side), upload(two.user, 'id-back', side)]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 422]);
    expect(await tasksOf(mine.customer)).toEqual([]);
  });

  it('that nobody asked for is looked at as well, and one that is none is asked for by nothing', async () => {
    const mine = await known(person(27));
    await upload(mine.user, 'id-front', png()).expect(201);
    const back = png();
    await upload(mine.user, 'id-back', back).expect(201);
    await upload(mine.user, 'id-back', back).expect(200);
    const [first] = await tasksOf(mine.customer);
    expect(await tasksOf(mine.customer)).toMatchObject([{ state: 'open', dueAt: null }]);
    await seen(first?.id, 'refused').expect(200);
    expect((await customer(mine.customer)).customer.documented).toBe(false);
    await upload(mine.user, 'id-back', back).expect(200);
    expect(await tasksOf(mine.customer)).toHaveLength(1);
    await upload(mine.user, 'id-back', png()).expect(201);
    const [, second] = await tasksOf(mine.customer);
    await seen(second?.id, 'done').expect(200);
    expect((await customer(mine.customer)).customer.documented).toBe(true);
  });

  it('is looked at when it came before the identity was verified; at the counter it counts at once', async () => {
    const early = await desk.register(person(21));
    await upload(early.body.id, 'id-front', png()).expect(201);
    await upload(early.body.id, 'id-back', png()).expect(201);
    await desk.ask();
    const [row] = await desk.rows<{ customer_id: string }>('SELECT customer_id FROM users WHERE id = ?', [bare(early.body.id)]);
    const id = `cus_${row?.customer_id}`;
    expect((await customer(id)).customer.documented).toBe(false);
    expect((await tasksOf(id)).map(({ state }) => state)).toEqual(['open']);

    const mine = await known(person(22));
    await due(mine.customer, desk.rt.clock.now() + 1);
    await desk.look();
    const [task] = await tasksOf(mine.customer);
    await seen(task?.id, 'done').expect(200);
    expect((await customer(mine.customer)).customer).toMatchObject({ documented: true, idDueAt: null });
  });

  it('of a passport is one page, of a company its licence', async () => {
    const traveller = await known(person(23, { idType: 'passport', idNo: 'E87654321', birthDate: '1990-01-01' }));
    await upload(traveller.user, 'id-front', png()).expect(201);
    expect(await tasksOf(traveller.customer)).toMatchObject([{ state: 'open' }]);
    const firm = await known(company(23) as never);
    await upload(firm.user, 'business-licence', png()).expect(201);
    expect(await tasksOf(firm.customer)).toMatchObject([{ state: 'open' }]);
  });
});

describe('a new identity document', () => {
  const renew = (user: string, idExpires: string | null, document: string, by?: TestBook) =>
    desk.call('PUT', `/v1/users/${user}/document-validity`, { idExpires, document }, by);
  const validity = async (user: string) =>
    (await desk.call('GET', `/v1/users/${user}/document-validity`).expect(200)).body.latest;

  it('counts when the identity was verified again; the same again is the first', async () => {
    const mine = await known(person(40, { idExpires: '2091-03-31' }));
    expect(await validity(mine.user)).toBeNull();
    const { body: image } = await upload(mine.user, 'id-front', png()).expect(201);
    const asked = await renew(mine.user, '2111-03-31', image.id).expect(202);
    expect(asked.body).toMatchObject({ state: 'pending', idExpires: '2111-03-31' });
    expect((await customer(mine.customer)).customer.idExpires).toBe('2091-03-31');
    await desk.ask();
    await desk.ask();
    expect((await customer(mine.customer)).customer.idExpires).toBe('2111-03-31');
    expect((await renew(mine.user, '2111-03-31', image.id).expect(200)).body.state).toBe('accepted');
    expect((await renew(mine.user, '2112-03-31', image.id)).body.code).toBe('PARTICULARS_INVALID');
    const { body: longer } = await upload(mine.user, 'id-front', png()).expect(201);
    await renew(mine.user, null, longer.id).expect(202);
    await desk.ask();
    expect((await customer(mine.customer)).customer.idExpires).toBeNull();
    const records = (await customer(mine.customer)).verifications as { subject: string; result: string }[];
    expect(records.map((record) => record.subject.split(' ')[0])).toEqual(['self', 'renewal', 'renewal']);
  });

  it('is refused when the number is not his any more, and asked again when nobody answers', async () => {
    const asked = person(41);
    const mine = await known(asked);
    const { body: image } = await upload(mine.user, 'id-front', png()).expect(201);
    desk.faults({ scope: 'verification', fault: 'garbage', on: 'identity', messageNo: asked.party.idNo, times: 1 });
    await renew(mine.user, '2099-01-01', image.id).expect(202);
    await desk.ask();
    expect((await validity(mine.user)).state).toBe('pending');
    desk.bank.bank.people.put([PersonEntry.parse({ idNo: asked.party.idNo, name: '另外某人' })]);
    desk.pass(1_000);
    await desk.ask();
    expect(await validity(mine.user)).toMatchObject({ state: 'refused', refusal: { code: 'IDENTITY_NAME_DIFFERS' } });
    expect((await customer(mine.customer)).customer.idExpires).toBe('2099-12-31');
  });

  it('needs an image of the document itself, of this user, and a day that has not passed', async () => {
    const mine = await known(person(42));
    const other = await known(person(43));
    const { body: picture } = await upload(mine.user, 'other', png()).expect(201);
    const { body: image } = await upload(mine.user, 'id-front', png()).expect(201);
    expect((await renew(mine.user, '2099-01-01', picture.id)).body.code).toBe('DOCUMENT_UNREADABLE');
    expect((await renew(other.user, '2099-01-01', image.id)).body.code).toBe('NOT_FOUND');
    expect((await renew(mine.user, '2091-03-04', image.id)).body.code).toBe('ID_DOCUMENT_EXPIRED');
    expect((await renew(mine.user, '2099-01-01', image.id, desk.other)).status).toBe(404);
    const unverified = await desk.register(person(44));
    const { body: early } = await upload(unverified.body.id, 'id-front', png()).expect(201);
    expect((await renew(unverified.body.id, '2099-01-01', early.id)).body.code).toBe('IDENTITY_UNVERIFIED');
    desk.pass(1);
    await desk.ask();
    expect((await renew(unverified.body.id, '2099-01-01', early.id)).body.code).toBe('DOCUMENT_UNREADABLE');
  });
});

describe('a store that is a bucket', () => {
  const kept = new Map<string, string>();
  const seen: { method: string | undefined; authorization: string | undefined }[] = [];
  let server: Server;
  beforeAll(async () => {
    server = createServer((message, response) => {
      seen.push({ method: message.method, authorization: message.headers.authorization });
      const parts: Buffer[] = [];
      message.on('data', (part: Buffer) => parts.push(part));
      message.on('end', () => {
        const path = message.url ?? '';
        if (message.method === 'PUT') {
          if (path.endsWith('/broken')) response.statusCode = 503;
          else kept.set(path, Buffer.concat(parts).toString('utf8'));
          response.end();
          return;
        }
        const text = kept.get(path);
        response.statusCode = text === undefined ? 404 : 200;
        response.end(text);
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
  });
  afterAll(() => {
    server.close();
  });

  it('keeps and finds under the same keys, with every request signed; what it refuses is thrown', async () => {
    const { port } = server.address() as AddressInfo;
    const store = documentStore(
      {
        DOCUMENTS_DIR: '/nowhere',
        DOCUMENTS_S3_URL: `http://127.0.0.1:${port}/bucket`,
        DOCUMENTS_S3_REGION: 'cn-north-1',
        DOCUMENTS_S3_KEY_ID: 'AKID',
        DOCUMENTS_S3_SECRET: 'secret',
      },
      () => Date.UTC(2026, 2, 2, 3, 4, 5),
    );
    await store.put('2236512894231552003', 's1.k1.abc');
    expect(kept.get('/bucket/2236512894231552003')).toBe('s1.k1.abc');
    expect(await store.get('2236512894231552003')).toBe('s1.k1.abc');
    expect(await store.get('2236512894231552004')).toBeUndefined();
    await expect(store.put('broken', 'x')).rejects.toThrow('503');
    for (const { authorization } of seen)
      expect(authorization).toMatch(
        /^AWS4-HMAC-SHA256 Credential=AKID\/20260302\/cn-north-1\/s3\/aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=[0-9a-f]{64}$/,
      );
    const inside = desk.rt.db.withTx('never', () => store.put('x', 'y'));
    await expect(inside).rejects.toThrow('inside the database transaction');
  });
});

/** The body of an answer as it came. */
function bytesOf(response: unknown, done: (error: Error | null, body: Buffer) => void): void {
  const stream = response as NodeJS.ReadableStream;
  const parts: Buffer[] = [];
  stream.on('data', (part: Buffer) => parts.push(part));
  stream.on('end', () => done(null, Buffer.concat(parts)));
}
