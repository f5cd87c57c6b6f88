import type { BusinessDate } from '../../kernel/index.js';
import type { PayoutPurpose } from '../../payouts/index.js';

/** What the payee reads when his platform says nothing of its own. */
const PURPOSE_NAMES: Readonly<Record<PayoutPurpose, string>> = {
  clearing: '日终清算',
  withdrawal: '提现',
  refund: '退款',
  'top-up': '充值',
  closing: '销户',
  'suspense-return': '挂账退回',
  judicial: '司法扣划',
  'fund-settlement': '基金申购款',
};

/** What a platform may have words of its own for; what the bank pays by itself or for a court has the bank's. */
export const TEXT_PURPOSES = [
  'clearing',
  'withdrawal',
  'refund',
  'top-up',
  'closing',
] as const satisfies readonly PayoutPurpose[];
export type TextPurpose = (typeof TEXT_PURPOSES)[number];

export const TEMPLATE_MAX = 60;
/** Bytes of GBK that every channel carries: the shortest remark among them (附言). */
const BYTES_MAX = 60;
const PLACEHOLDERS = ['platform', 'purpose', 'date', 'order'] as const;
type Placeholder = (typeof PLACEHOLDERS)[number];
const DEFAULT = '{purpose}';

/** Whether the braces of a template hold nothing but what there is to fill in. */
export function isTemplate(text: string): boolean {
  const rest = PLACEHOLDERS.reduce((left, name) => left.replaceAll(`{${name}}`, ''), text);
  return !/[{}]/.test(rest);
}

/** What a text is made of. */
export interface TextParts {
  readonly purpose: PayoutPurpose;
  readonly orderNo: string | null;
  /** On which it was made. */
  readonly businessDate: BusinessDate;
  /** The platform's name. */
  readonly platform: string;
}

/**
 * The text that the payee is shown, the same whatever channel carries it: one line of what GBK has, at most 60 bytes of it and never half a character;
 * what GBK has not becomes a question mark. Only a refund has an order. Where nothing is left, the purpose's own name.
 */
export function renderText(template: string = DEFAULT, { purpose, orderNo, businessDate, platform }: TextParts): string {
  const values: Readonly<Record<Placeholder, string>> = {
    ...{ platform, purpose: PURPOSE_NAMES[purpose], date: businessDate, order: orderNo ?? '' },
  };
  // In one pass: a name that looks like a placeholder is none.
  const filled = template.replace(/\{([a-z]+)\}/g, (whole, name: string) => values[name as Placeholder] ?? whole);
  return fitted(filled) || PURPOSE_NAMES[purpose];
}

function fitted(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  let cut = '';
  let bytes = 0;
  for (const char of line) {
    const size = gbkBytes(char);
    bytes += size ?? 1;
    if (bytes > BYTES_MAX) break;
    cut += size === undefined ? '?' : char;
  }
  return cut.trim();
}

let twoBytes: ReadonlySet<string> | undefined;

/** How many bytes GBK has for a character; undefined where it has none. */
function gbkBytes(char: string): 1 | 2 | undefined {
  if (char < '\x80') return 1;
  twoBytes ??= gbkCharacters();
  return twoBytes.has(char) ? 2 : undefined;
}

/** Every character of two bytes, by asking the platform's own decoder. */
function gbkCharacters(): ReadonlySet<string> {
  const decoder = new TextDecoder('gbk', { fatal: true });
  const found = new Set<string>();
  for (let lead = 0x81; lead <= 0xfe; lead += 1) {
    for (let trail = 0x40; trail <= 0xfe; trail += 1) {
      if (trail === 0x7f) continue;
      const char = decoded(decoder, lead, trail);
      if (char !== undefined && !/\p{Co}/u.test(char)) found.add(char);
    }
  }
  return found;
}

function decoded(decoder: InstanceType<typeof TextDecoder>, lead: number, trail: number): string | undefined {
  try {
    return decoder.decode(Uint8Array.of(lead, trail));
  } catch {
    return undefined; // no character has these bytes
  }
}
