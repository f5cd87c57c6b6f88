import { type DestinationStream, type Logger, pino } from 'pino';

/**
 * Structured logs. What may be logged is listed by each caller, field by field; the paths below are the net under it, for
 * an object that was logged whole by mistake.
 */
const SECRET_FIELDS = [
  'name',
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
    message: 'query' in error ? 'a statement failed' : error.message,
    stack: error.stack
      ?.split('\n')
      .filter((line) => line.startsWith('    at '))
      .slice(0, 12)
      .join('\n'),
    cause: error.cause instanceof Error ? faultOf(error.cause) : undefined,
  };
}

function fitToKeep(error: unknown): unknown {
  return error instanceof Error ? faultOf(error) : error;
}

/** A copy for the audit trail in which every secret field reads `[redacted]`. */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, AUDIT_SECRETS.has(key) ? '[redacted]' : withoutSecrets(inner)]),
  );
}
// The audit trail must say which operator or platform was named; identifiers and cards of customers it need not.
const AUDIT_SECRETS = new Set<string>([
  'idNumber',
  'phone',
  'address',
  'cardNumber',
  'accountNumber',
  'token',
  'privateKey',
  'password',
]);
