import { z } from 'zod';
import { receiptKeysOfText } from './receipt-keys.js';
import { CIPHERS, keyOfBase64, keysOfText } from './vault.js';

const KEYS_FORM = 'must be set to keys of 32 bytes, `k1=<base64>`; several with commas between, the newest first';
const INDEX_KEY_FORM = 'must be set to a key of 32 bytes in base64';

const RECEIPT_KEYS_FORM =
  'must be set to Ed25519 keys, `r1=<base64 of PKCS #8>`; older ones after commas, of which the public half (SPKI) is enough';

/** Everything the processes are told from outside, parsed once; all faults are printed together. */
export const Config = z.object({
  DATABASE_URL: z.string().startsWith('mysql://').describe('mysql://user:password@host:port/database'),
  REDIS_URL: z.string().startsWith('redis://').describe('redis://host:port/db'),
  BANK_URL: z.url().describe('base URL of the core bank and its channels (the simulator in a sandbox)'),
  UNIONPAY_URL: z
    .string()
    .regex(/^(?:https?:\/\/[^/?#]+\/?)?$/)
    .default('')
    .describe('address of UnionPay; empty: the simulator at BANK_URL with the keys of a sandbox, and no other of these is set'),
  UNIONPAY_MERCHANT: z
    .string()
    .regex(/^[A-Za-z0-9]{0,15}$/)
    .default('')
    .describe('our merchant number there'),
  UNIONPAY_KEY: z.string().default('').describe('our key, `id=<base64 of PKCS #8>`, RSA: signs what we send'),
  UNIONPAY_PEER_KEYS: z.string().default('').describe('its public keys, `id=<base64 of SPKI>`, several with commas between'),
  UNIONPAY_CERTIFICATE: z
    .string()
    .default('')
    .describe('the certificate that its TLS is pinned to, PEM with `\\n` for line ends; empty: whom the machine trusts'),
  UNIONPAY_FILES: z.string().default('').describe('`sftp://user@host:port` of its day-end files'),
  UNIONPAY_FILES_HOST_KEY: z.string().default('').describe('`SHA256:…` of the key of that host'),
  UNIONPAY_FILES_KEY: z.string().default('').describe('our key for that host, `id=<base64 of PKCS #8>`, Ed25519'),
  PSP_URL: z
    .string()
    .regex(/^(?:https?:\/\/[^/?#]+\/?)?$/)
    .default('')
    .describe(
      'address of the payment institution; empty: the simulator at BANK_URL with the keys of a sandbox, and no other of these is set',
    ),
  PSP_MERCHANT: z
    .string()
    .regex(/^[A-Za-z0-9]{0,15}$/)
    .default('')
    .describe('our merchant number there'),
  PSP_KEY: z.string().default('').describe('our key, `id=<base64 of PKCS #8>`, RSA or Ed25519: signs what we send'),
  PSP_PEER_KEYS: z.string().default('').describe('its public keys, `id=<base64 of SPKI>`, several with commas between'),
  PSP_CERTIFICATE: z
    .string()
    .default('')
    .describe('the certificate that its TLS is pinned to, PEM with `\\n` for line ends; empty: whom the machine trusts'),
  PSP_FILES: z.string().default('').describe('`sftp://user@host:port` of its day-end files'),
  PSP_FILES_HOST_KEY: z.string().default('').describe('`SHA256:…` of the key of that host'),
  PSP_FILES_KEY: z.string().default('').describe('our key for that host, `id=<base64 of PKCS #8>`, Ed25519'),
  PSP_NOTIFY_URL: z
    .string()
    .regex(/^(?:https?:\/\/.+)?$/)
    .default('')
    .describe('where it tells results; empty: `/v1/channels/psp/callbacks` at PUBLIC_URL'),
  FUNDS_DISTRIBUTOR: z
    .string()
    .regex(/^[A-Za-z0-9]{0,9}$/)
    .default('')
    .describe('our code as a distributor of funds; empty in a sandbox: 999'),
  FUNDS_FILES: z
    .string()
    .default('')
    .describe('`sftp://user@host:port` where files of fund companies are exchanged; empty: the simulator at BANK_URL'),
  FUNDS_FILES_HOST_KEY: z.string().default('').describe('`SHA256:…` of the key of that host'),
  FUNDS_FILES_KEY: z.string().default('').describe('our key for that host, `id=<base64 of PKCS #8>`, Ed25519'),
  PORT: z.coerce.number().int().min(0).max(65535).default(8080).describe('port of the API; 0 takes a free one'),
  HOST: z.string().default('127.0.0.1').describe('address the API listens on'),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .default('http://127.0.0.1:8080')
    .describe('base of the addresses of the pages that customers open (https outside of a sandbox)'),
  METRICS_PORT: z.coerce.number().int().min(0).max(65535).default(0).describe('port of the worker for metrics and health'),
  SHARDS: z.coerce.number().int().min(1).max(1024).default(4).describe('number of shards; may grow, never shrink'),
  CLOCK: z.enum(['wall', 'driven']).default('wall').describe('driven: a sandbox whose time is set through the admin API'),
  REDIS_PREFIX: z
    .string()
    .regex(/^[a-z0-9-]+$/)
    .default('cunguan')
    .describe('prefix of every key in Redis'),
  POOL_SIZE: z.coerce.number().int().min(2).max(200).default(10).describe('database connections of this process'),
  VAULT_KEYS: z
    .string({ error: KEYS_FORM })
    .refine((text) => keysOfText(text) !== undefined, { error: KEYS_FORM })
    .describe('keys of personal data, `k2=<base64>,k1=<base64>`, 32 bytes each: the first seals, all open'),
  VAULT_INDEX_KEY: z
    .string({ error: INDEX_KEY_FORM })
    .refine((text) => keyOfBase64(text) !== undefined, { error: INDEX_KEY_FORM })
    .describe('key of the blind indexes of personal data, 32 bytes in base64; it never changes'),
  VAULT_CIPHER: z
    .enum(CIPHERS)
    .default('aes-256-gcm')
    .describe('what personal data is sealed with; either is opened. sm4: SM4-CTR with HMAC-SM3'),
  RECEIPT_KEYS: z
    .string({ error: RECEIPT_KEYS_FORM })
    .refine((text) => receiptKeysOfText(text) !== undefined, { error: RECEIPT_KEYS_FORM })
    .describe("the bank's keys of receipts, `r2=<base64 of PKCS #8>,r1=<base64>`, Ed25519: the first signs, all are published"),
  DOCUMENTS_DIR: z.string().min(1).default('.local/documents').describe('folder of the sealed images of documents'),
  DOCUMENTS_S3_URL: z
    .string()
    .regex(/^(?:https?:\/\/[^/?#]+(?:\/[A-Za-z0-9._~-]+)*\/?)?$/)
    .default('')
    .describe('`https://host/bucket` of an S3-compatible store that keeps them instead of the folder'),
  DOCUMENTS_S3_REGION: z.string().default('us-east-1').describe('region that requests to that store are signed for'),
  DOCUMENTS_S3_KEY_ID: z.string().default('').describe('id of the access key of that store'),
  DOCUMENTS_S3_SECRET: z.string().default('').describe('secret of the access key of that store'),
  SFTP_PORT: z.coerce
    .number()
    .int()
    .min(-1)
    .max(65535)
    .default(-1)
    .describe('port on which platforms fetch their check files by SFTP; -1: none, 0 takes a free one'),
  SFTP_HOST_KEY: z
    .string()
    .default('')
    .describe('our host key there, `id=<base64 of PKCS #8>`, Ed25519; needed where there is a port'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('the least level that is logged'),
  TICK_MS: z.coerce.number().int().min(50).default(1000).describe('pace of the timed jobs (sweep, polls) in milliseconds'),
});
export type Config = z.infer<typeof Config>;

export class ConfigInvalid extends Error {}

/** @throws ConfigInvalid naming every faulty variable */
export function parseConfig(env: Record<string, string | undefined>): Config {
  const parsed = Config.safeParse(env);
  if (parsed.success) return parsed.data;
  throw new ConfigInvalid(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'));
}
