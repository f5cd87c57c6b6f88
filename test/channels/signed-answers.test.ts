import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BankUnreachable, type Channels, OTHER_CONTENT, openChannels, type PaymentOrder } from '../../src/channels/index.js';
import { asPeer, type PeerKeys, type SigningKey, sandboxSide } from '../../src/channels/keys.js';
import { readSignature, SIGNATURE_HEADER, signatureHeader } from '../../src/channels/psp/signed-json.js';
import { type InstitutionSettings, institutionOf } from '../../src/channels/settings.js';
import { type Fields, openForm, packInfo, sealForm, unpackInfo } from '../../src/channels/unionpay/signed-form.js';
import type { BusinessDate } from '../../src/kernel/index.js';

const order: PaymentOrder = {
  ...{ messageNo: '2236512894231552001', custodyNo: 'C-1', amount: 100n, payeeName: '张三', payeeAccount: '6228480000000001' },
  ...{ payeeBank: '102100099996', businessDate: '2026-03-02' as BusinessDate, remark: 'a&b=c' },
};

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
}

/** Settings of a sandbox, at an address of our own. */
function at(which: 'unionpay' | 'psp', url: string, peerKeys?: PeerKeys): InstitutionSettings {
  const { merchant, key, peerKeys: usual, files } = institutionOf(which, 'http://127.0.0.1:9');
  return { url, merchant, key, files, peerKeys: peerKeys ?? usual };
}

const stranger: SigningKey = {
  id: sandboxSide('theirs').unionpay.id,
  privateKey: generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey,
};
const next: SigningKey = { id: 'next', privateKey: generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey };

describe('answers of UnionPay', () => {
  const theirs = sandboxSide('theirs').unionpay;
  let server: Server;
  let ways: Channels;
  let asked: Fields = {};
  let say: (asked: Fields) => string;
  beforeAll(async () => {
    server = createServer(async (request, response) => {
      asked = openForm(await textOf(request), asPeer(sandboxSide('ours').unionpay)) ?? {};
      response.end(say(asked));
    });
    const url = `http://${await listening(server)}`;
    const peerKeys = new Map([...asPeer(theirs), ...asPeer(next)]);
    ways = openChannels({ bankUrl: url, unionpay: at('unionpay', url, peerKeys) });
  });
  afterAll(async () => {
    await ways.close();
    await closed(server);
  });
  const answered = (fields: Fields, key = theirs) => {
    say = ({ merId = '', txnType = '', orderId = '', reqReserved = '' }) =>
      sealForm({ merId, txnType, orderId, reqReserved, ...fields }, key);
  };
  const submit = async () => (await ways.channels.unionpay.submit([order]))[0];
  const query = async () => (await ways.channels.unionpay.query([order.messageNo]))[0];

  test('count when they are signed, by the key of today or the next one; and ask with the fields of the network', async () => {
    answered({ respCode: '00', queryId: 'Q1' });
    expect(await submit()).toEqual({ messageNo: order.messageNo, status: 'settled', channelRef: 'Q1' });
    expect(asked).toMatchObject({
      ...{ version: '5.1.0', encoding: 'UTF-8', signMethod: '01', txnType: '12', txnSubType: '00', orderId: order.messageNo },
      ...{ txnTime: '20260302000000', txnAmt: '100', currencyCode: '156', accNo: order.payeeAccount, bizType: '000401' },
      certId: sandboxSide('ours').unionpay.id,
    });
    expect(unpackInfo(asked.customerInfo ?? '')).toEqual({ customerNm: '张三' });
    answered({ respCode: '00', queryId: 'Q1' }, next);
    expect((await submit())?.status).toBe('settled');
  });

  test.each([
    [['03', '04', '05'], 'accepted'],
    [['60', '61', '63', '64', '66', '73', '77'], 'failed'],
    [['31', '32', '33', '38', '62'], 'refused'],
    [['02', '39', 'F1'], 'not-now'],
    [['01', '06', '10', '11', '13', '34', '42', '99', '', '000', '０0'], 'unknown'],
  ] as const)('with the codes %j are %s', async (codes, status) => {
    for (const respCode of codes) {
      answered({ respCode, respMsg: 'words' });
      expect((await submit())?.status).toBe(status);
      answered({ respCode: '00', origRespCode: respCode, origRespMsg: 'words' });
      expect((await query())?.status).toBe(status);
    }
  });

  test('that the number was used before say nothing of the first order', async () => {
    answered({ respCode: '12' });
    expect(await submit()).toEqual({ messageNo: order.messageNo, status: 'failed', reason: OTHER_CONTENT });
  });

  test('that the order is unknown count as such only from a query', async () => {
    answered({ respCode: '34' });
    expect((await query())?.status).toBe('not-found');
    expect((await submit())?.status).toBe('unknown');
  });

  const settled = (changes: Fields, key?: SigningKey) => () => answered({ respCode: '00', queryId: 'Q1', ...changes }, key);
  const saying = (how: typeof say) => () => {
    say = how;
  };
  test.each<[string, () => void]>([
    ['unsigned', saying((of) => new URLSearchParams({ ...of, respCode: '00' }).toString())],
    ['signed by another under the same certId', settled({}, stranger)],
    ['signed by a key that is not known', settled({}, { ...stranger, id: 'x' })],
    ['changed after signing', () => settled({ respCode: '60' })()],
    ['to another order', settled({ orderId: '2236512894231552002' })],
    ['to an earlier call for this order', settled({ reqReserved: 'earlier' })],
    ['to another merchant', settled({ merId: '1' })],
    ['to a query', settled({ txnType: '00' })],
    ['nothing', saying(() => '')],
    ['of twice the same field', saying((of) => `${sealForm({ ...of, respCode: '60' }, theirs)}&respCode=00`)],
  ])('%s are none', async (name, prepare) => {
    prepare();
    if (name === 'changed after signing') {
      const honest = say;
      say = (of) => honest(of).replace('respCode=60', 'respCode=00');
    }
    expect((await submit())?.status).toBe('unknown');
    expect((await query())?.status).toBe('unknown');
  });

  test('a field cannot be made of two, or two of one', () => {
    const sealed = sealForm({ respCode: '60', respMsg: 'no' }, theirs);
    expect(openForm(sealed, asPeer(theirs))?.respCode).toBe('60');
    const fields = new URLSearchParams(sealed);
    fields.delete('respMsg');
    fields.set('respCode', '60&respMsg=no');
    expect(openForm(fields.toString(), asPeer(theirs))).toBeUndefined();
    expect(unpackInfo(packInfo({ customerNm: 'a}&phoneNo=1' }))).toEqual({ customerNm: 'a}&phoneNo=1' });
  });

  test('an order that the form cannot carry is not sent', async () => {
    answered({ respCode: '00' });
    expect(await ways.channels.unionpay.submit([{ ...order, payeeAccount: '1&2' }])).toMatchObject([{ status: 'failed' }]);
    expect(await ways.channels.unionpay.submit([{ ...order, amount: 10n ** 12n }])).toMatchObject([{ status: 'refused' }]);
  });

  test('a balance counts only as digits under code 00', async () => {
    answered({ respCode: '00', balance: '77' });
    expect(await ways.channels.unionpay.float()).toBe(77n);
    for (const fields of [{ respCode: '00' }, { respCode: '06', balance: '77' }, { respCode: '00', balance: '7.7' }]) {
      answered(fields);
      await expect(ways.channels.unionpay.float()).rejects.toBeInstanceOf(BankUnreachable);
    }
  });
});

describe('answers of the payment institution', () => {
  const theirs = sandboxSide('theirs').psp;
  let server: Server;
  let ways: Channels;
  let say: (asked: { nonce: string; body: string; seen: boolean }) => { body: string; header?: string };
  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const body = await textOf(request);
      const header = request.headers[SIGNATURE_HEADER];
      const signed = { purpose: request.url ?? '', body: Buffer.from(body) };
      const signature = readSignature(String(header), signed, asPeer(sandboxSide('ours').psp));
      const answer = say({ nonce: signature?.nonce ?? '', body, seen: signature !== undefined });
      if (answer.header !== undefined) response.setHeader(SIGNATURE_HEADER, answer.header);
      response.end(answer.body);
    });
    const url = `http://${await listening(server)}`;
    ways = openChannels({ bankUrl: url, psp: at('psp', url, new Map([...asPeer(theirs), ...asPeer(next)])) });
  });
  afterAll(async () => {
    await ways.close();
    await closed(server);
  });
  const signed = (body: string, nonce: string, key = theirs, purpose = 'answer') => ({
    body,
    header: signatureHeader({ purpose, nonce, body: Buffer.from(body) }, 1_000, key),
  });
  const trade = (status: string, more: object = {}) => JSON.stringify({ outTradeNo: order.messageNo, status, ...more });
  const submit = async () => (await ways.channels.psp.submit([order]))[0];
  const query = async () => (await ways.channels.psp.query([order.messageNo]))[0];

  test('count when they are signed, by an Ed25519 or an RSA key; and what was asked was signed too', async () => {
    let seen = false;
    say = (asked) => {
      seen = asked.seen;
      return signed(trade('PROCESSING', { tradeNo: 'T1', fee: 1 }), asked.nonce);
    };
    expect(await submit()).toEqual({ messageNo: order.messageNo, status: 'accepted', channelRef: 'T1' });
    expect(seen).toBe(true);
    say = ({ nonce }) => signed(trade('SUCCESS'), nonce, next);
    expect((await submit())?.status).toBe('settled');
  });

  test.each<[string, typeof say]>([
    ['unsigned', () => ({ body: trade('SUCCESS') })],
    ['with a header that is none', () => ({ body: trade('SUCCESS'), header: 'keyId=psp-1' })],
    ['signed by another under the same id', ({ nonce }) => signed(trade('SUCCESS'), nonce, { ...next, id: theirs.id })],
    ['changed after signing', ({ nonce }) => ({ ...signed(trade('FAILED'), nonce), body: trade('SUCCESS') })],
    ['to an earlier call', () => signed(trade('SUCCESS'), 'earlier')],
    ['signed as a notification', ({ nonce }) => signed(trade('SUCCESS'), nonce, theirs, 'notification')],
    ['to another order', ({ nonce }) => signed(trade('SUCCESS').replace('001"', '002"'), nonce)],
    ['of a status that is none', ({ nonce }) => signed(trade('DONE'), nonce)],
    ['that are no JSON', ({ nonce }) => signed('SUCCESS', nonce)],
  ])('%s are none', async (_name, how) => {
    say = how;
    expect((await submit())?.status).toBe('unknown');
    expect((await query())?.status).toBe('unknown');
  });

  test('that a trade does not exist count only from a query', async () => {
    say = ({ nonce }) => signed(trade('NOT_EXIST'), nonce);
    expect((await query())?.status).toBe('not-found');
    expect((await submit())?.status).toBe('unknown');
  });
});

describe('the certificate of the other side', () => {
  let folder: string;
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  let server: Server;
  let place: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'certificates-'));
    const made = (name: string, ...more: string[]) =>
      openssl(
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '30',
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.pem`,
        ...more,
      );
    made('own', '-subj', '/CN=somebody');
    made('other', '-subj', '/CN=somebody');
    server = createTlsServer({ key: read('own.key'), cert: read('own.pem') }, (request, response) => {
      void textOf(request).then((text) => {
        const { merId = '', txnType = '', orderId = '', reqReserved = '' } = Object.fromEntries(new URLSearchParams(text));
        const fields = { merId, txnType, orderId, reqReserved, respCode: '00', queryId: 'Q1' };
        response.end(sealForm(fields, sandboxSide('theirs').unionpay));
      });
    });
    place = `https://${await listening(server)}`;
  });
  afterAll(async () => {
    await closed(server);
    rmSync(folder, { recursive: true });
  });
  const statusWith = async (pinned: string[] | undefined) => {
    const settings = at('unionpay', place);
    const ways = openChannels({
      bankUrl: 'http://127.0.0.1:9',
      unionpay: pinned === undefined ? settings : { ...settings, pinned },
    });
    const [answer] = await ways.channels.unionpay.submit([order]);
    await ways.close();
    return answer?.status;
  };

  test('is believed when it is pinned, whatever name it bears; no other is, and none when nothing is pinned', async () => {
    expect(await statusWith([read('own.pem')])).toBe('settled');
    expect(await statusWith([read('other.pem'), read('own.pem')])).toBe('settled');
    expect(await statusWith([read('other.pem')])).toBe('unknown');
    expect(await statusWith(undefined)).toBe('unknown');
  });
});

describe('settings', () => {
  const sandbox = 'http://127.0.0.1:8090';
  const none = { url: '', merchant: '', key: '', peerKeys: '', certificate: '', files: '', filesHostKey: '', filesKey: '' };
  const pkcs8 = ({ id, privateKey }: SigningKey) =>
    `${id}=${privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64')}`;
  const whole = {
    ...none,
    ...{ url: 'https://gateway.example', merchant: '898', key: pkcs8(next) },
    peerKeys: [...asPeer(next)].map(
      ([id, key]) => `${id}=${key.export({ format: 'der', type: 'spki' }).toString('base64')}`,
    )[0] as string,
    ...{
      files: 'sftp://me@files.example:2222',
      filesHostKey: `SHA256:${'A'.repeat(43)}`,
      filesKey: pkcs8(sandboxSide('ours').psp),
    },
  };

  test('of a sandbox are those of the simulator at the bank, by TLS', () => {
    const { url, pinned, files } = institutionOf('unionpay', sandbox);
    expect([url, pinned?.length, files.host, files.port]).toEqual(['https://127.0.0.1:8090', 1, '127.0.0.1', 8090]);
  });

  test('of an own address are taken whole, and never with the keys that everybody knows', () => {
    expect(institutionOf('psp', sandbox, whole).files).toMatchObject({ host: 'files.example', port: 2222, user: 'me' });
    for (const name of ['merchant', 'key', 'peerKeys', 'files', 'filesHostKey', 'filesKey'])
      expect(() => institutionOf('psp', sandbox, { ...whole, [name]: '' })).toThrow('psp: ');
    expect(() => institutionOf('psp', sandbox, { ...whole, url: '' })).toThrow('its address is not');
  });
});
