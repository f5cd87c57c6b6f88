import { type DestinationStream, type Logger, pino } from 'pino';
import { maskCardNumber, maskIdNo, maskMobile, maskName } from '../kernel/index.js';

/**
 * Structured logs. What may be logged is listed by each caller, field by field; the paths below are the net under it, for
 * an object that was logged whole by mistake.
 */
const SECRET_FIELDS = [
  'name',
  'idNo',
  'mobile',
  'legalRepresentative',
  'party',
  'payer',
  'payee',
  'particulars',
  'settlementAccount',
  'counterparty',
  'payerName',
  'payeeName',
  'legalName',
  'holderName',
  'idNumber',
  'uscc',
  'phone',
  'address',
  'cardNumber',
  'accountNumber',
  'payerAccount',
  'payeeAccount',
  'card',
  'accountNo',
  'cardNo',
  'id_no',
  'holder_name',
  'account_no',
  'payer_name',
  'payer_account',
  'payee_name',
  'payee_account',
  'token',
  'authorization',
  'signature',
  'privateKey',
  'password',
  'newPassword',
  'repeatPassword',
  'body',
  'text',
] as const;

const REDACT = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);

/** @param service `api` or `worker`; every line carries it, and an `event` that the caller names */
export function createLog(level: string, service: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...REDACT], censor: '[redacted]' },
      // Whoever logs an error has made it fit to be kept; what he forgot to is made so here.
      serializers: { err: fitToKeep, error: fitToKeep },
    },
    destination ?? pino.destination({ fd: 2, sync: true }),
  );
}

/** What a log keeps of a thrown error: not the statement and its parameters, which hold customers' data. */
export function faultOf(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: 'not an Error' };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    code: typeof code === 'string' ? code : undefined,
    message: messageOf(error),
    stack: error.stack
      ?.split('\n')
      .filter((line) => line.startsWith('    at '))
      .slice(0, 12)
      .join('\n'),
    cause: error.cause instanceof Error ? faultOf(error.cause) : undefined,
  };
}

/** Statements, and texts that could not be read, hold customers' data, and some errors quote them. */
function messageOf(error: Error): string {
  // `query`: as the mapper throws it, `sql`: as the driver does.
  if ('query' in error || 'sql' in error || 'sqlMessage' in error) return 'a statement failed';
  return error instanceof SyntaxError ? 'a text could not be parsed' : error.message;
}

function fitToKeep(error: unknown): unknown {
  return error instanceof Error ? faultOf(error) : error;
}

/** A copy for the audit trail in which every secret reads `[redacted]`. Personal data stays: the entry is sealed as a whole. */
export function withoutSecrets(value: unknown): unknown {
  return copied(value, (key, inner) => (SECRETS.has(key) ? '[redacted]' : inner));
}
const SECRETS = new Set(['token', 'privateKey', 'password', 'newPassword', 'repeatPassword']);

/** A copy of an audit entry's detail as it is shown: who was acted upon can be told, and no number or address is whole. */
export function withoutPersonalData(value: unknown): unknown {
  return copied(value, (key, inner, beside) => {
    if (typeof inner !== 'string') return HIDDEN.has(key) ? '[redacted]' : inner;
    if (key === 'account' && /^acc_[0-9]+$/.test(inner)) return inner;
    if (key === 'name') return PERSONS.some((field) => field in beside) ? maskName(inner) : inner;
    return HIDDEN.has(key) ? '[redacted]' : (MASKS[key]?.(inner) ?? inner);
  });
}
/** A name beside one of these is a customer's, not a platform's or an operator's. */
const PERSONS = ['idNo', 'account', 'mobile', 'idType'];
const HIDDEN = new Set(['address', 'occupation', 'particulars']);
const MASKS: Readonly<Record<string, (text: string) => string>> = {
  idNo: maskIdNo,
  account: maskCardNumber,
  cardNo: maskCardNumber,
  cardNumber: maskCardNumber,
  accountNo: maskCardNumber,
  mobile: maskMobile,
  legalRepresentative: maskName,
  holderName: maskName,
};

type Change = (key: string, inner: unknown, beside: object) => unknown;

/** A deep copy in which each field is what `change` makes of it. */
function copied(value: unknown, change: Change): unknown {
  if (Array.isArray(value)) return value.map((item) => copied(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copied(change(key, inner, value), change)]));
}
