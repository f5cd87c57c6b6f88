import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { openSshPrivateKey, sshFingerprint, sshPublicKey } from '../files/index.js';
import { asPeer, type SigningKey, sandboxSide } from '../keys.js';
import { readSignature, SIGNATURE_HEADER, signatureHeader } from '../psp/signed-json.js';
import { PSP_PATHS, PspBalanceAsked, PspContract, PspPayment, PspQuery, toPspTrade } from '../psp/wire.js';
import { type BankRoute, type Call, type Parsed, RawAnswer, Rejected, shape } from './call.js';
import { sandboxCertificate } from './door.js';
import { FILE_USERS } from './file-server.js';
import { FUNDS_USER } from './funds/folders.js';
import { UNIONPAY_ROUTES } from './unionpay-routes.js';

/** A route of the payment institution: the signature is verified before the body is parsed, and what is answered is signed as well. */
function pspRoute<S extends z.ZodType>(path: string, schema: S, act: (body: z.output<S>, call: Call) => Parsed): BankRoute {
  return {
    method: 'POST',
    path: new RegExp(`^${path}$`),
    takesText: true,
    parse(call) {
      const header = call.headers[SIGNATURE_HEADER];
      const bytes = Buffer.from(call.text, 'utf8');
      const signature = readSignature(
        typeof header === 'string' ? header : undefined,
        { purpose: path, body: bytes },
        ourPeers(),
      );
      if (signature === undefined) throw new Rejected(401, 'the signature is wrong');
      const parsed = act(shape(schema, jsonOf(call.text)), call);
      return { ...parsed, run: () => sealed(parsed.run(), signature.nonce, call.bank.nowMs()) };
    },
  };
}

const ourPeers = () => asPeer(sandboxSide('ours').psp);

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Rejected(400, 'body is not JSON');
  }
}

function sealed(answer: unknown, nonce: string, nowMs: number): RawAnswer {
  if (answer === NOTHING) return new RawAnswer('', {});
  const text = JSON.stringify(answer);
  const signed = { purpose: 'answer', nonce, body: Buffer.from(text, 'utf8') };
  const header = signatureHeader(signed, Math.floor(nowMs / 1_000), sandboxSide('theirs').psp);
  return new RawAnswer(text, { 'content-type': 'application/json; charset=utf-8', [SIGNATURE_HEADER]: header });
}

/** The answer that is left out. */
const NOTHING = Symbol('nothing');

function pspPayment(code: 'psp' | 'psp-collect'): BankRoute {
  return pspRoute(
    PSP_PATHS[code],
    PspPayment,
    ({ outTradeNo, fundAccount, amount, party, tradeDate, remark, contractNo, notifyUrl }, { bank }) => {
      const order = {
        ...{ messageNo: outTradeNo, custodyNo: fundAccount, amount, businessDate: tradeDate, remark },
        ...{ payeeName: party.name, payeeAccount: party.account, payeeBank: party.bankCode },
        ...(contractNo === undefined ? {} : { contractNo }),
      };
      return {
        point: { scope: code, on: 'submit', keys: [outTradeNo] },
        run() {
          const answer = bank.submit(code, order, notifyUrl);
          return bank.faults.ofPayment(code, 'answer-missing', outTradeNo) === undefined ? toPspTrade(answer) : NOTHING;
        },
      };
    },
  );
}

const PSP_ROUTES: readonly BankRoute[] = [
  pspPayment('psp'),
  pspPayment('psp-collect'),
  pspRoute(PSP_PATHS.query, PspQuery, ({ outTradeNo, product }, { bank }) => {
    const scope = product === 'payout' ? 'psp' : 'psp-collect';
    return {
      point: { scope, on: 'query', keys: [outTradeNo] },
      run: () => toPspTrade(bank.query(scope, outTradeNo)),
    };
  }),
  pspRoute(PSP_PATHS.balance, PspBalanceAsked, ({ merchantNo }, { bank }) => ({
    point: { scope: 'psp', on: 'float', keys: [] },
    run: () => ({ merchantNo, available: String(bank.float('psp')) }),
  })),
  pspRoute(PSP_PATHS.contract, PspContract, ({ merchantNo: _ours, ...request }, { bank }) => ({
    point: { scope: 'psp-collect', on: 'sign', keys: [request.signNo, request.account] },
    run() {
      const answer = bank.sign('psp-collect', request);
      const { signNo } = answer;
      if (answer.status === 'signed') return { signNo, status: 'SIGNED', contractNo: answer.contractNo };
      return { signNo, status: 'REJECTED', failReason: answer.reason };
    },
  })),
];

const SandboxSignings = z.strictObject({ required: z.boolean() });

const base64 = (key: KeyObject) =>
  (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'der', type: 'spki' }).toString('base64');
const textOf = ({ id, privateKey }: SigningKey) => `${id}=${base64(privateKey)}`;

/** What the institutions let others know of themselves, and what a sandbox sets and reads of contracts and notices. */
const SANDBOX_ROUTES: readonly BankRoute[] = [
  {
    method: 'GET',
    path: /^\/sandbox\/keys$/,
    parse: () => ({
      run() {
        const { unionpay, psp, ssh } = sandboxSide('theirs');
        const certificate = sandboxCertificate();
        return { unionpay: textOf(unionpay), psp: textOf(psp), certificate, hostKey: sshFingerprint(sshPublicKey(ssh)) };
      },
    }),
  },
  {
    method: 'GET',
    path: /^\/sandbox\/sftp$/,
    parse: ({ headers: { host = '' } }) => ({
      run() {
        const { hostname, port } = new URL(`http://${String(host)}`);
        const wire = sshPublicKey(sandboxSide('theirs').ssh);
        return {
          ...{
            host: hostname,
            port: Number(port),
            users: [...Object.keys(FILE_USERS), FUNDS_USER],
            folders: FILE_USERS,
            hostKey: sshFingerprint(wire),
          },
          // Files for OpenSSH. The key is no secret: it is made of a word that everybody knows.
          knownHosts: `[${hostname}]:${port} ssh-ed25519 ${wire.toString('base64')}\n`,
          privateKey: openSshPrivateKey(sandboxSide('ours').ssh),
        };
      },
    }),
  },
  {
    method: 'GET',
    path: /^\/sandbox\/signings$/,
    parse: ({ bank }) => ({ run: () => ({ required: bank.requireSignings, items: bank.signings.all() }) }),
  },
  {
    method: 'PUT',
    path: /^\/sandbox\/signings$/,
    parse({ bank, body }) {
      const { required } = shape(SandboxSignings, body);
      return {
        run() {
          bank.requireSignings = required;
        },
      };
    },
  },
  { method: 'GET', path: /^\/sandbox\/notices$/, parse: ({ bank }) => ({ run: () => ({ items: bank.notices.all() }) }) },
];

/** UnionPay, the payment institution, and what a sandbox needs of both. */
export const INSTITUTION_ROUTES: readonly BankRoute[] = [...UNIONPAY_ROUTES, ...PSP_ROUTES, ...SANDBOX_ROUTES];
