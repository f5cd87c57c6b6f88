import { type Minor, toYuan } from '../../kernel/index.js';

/** For people: `1,234.56`. */
export function yuanWithCommas(amount: Minor): string {
  const [whole = '', fraction = ''] = toYuan(amount).split('.');
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${fraction}`;
}

const DIGITS = [...'零壹贰叁肆伍陆柒捌玖'];
const PLACES = ['', '拾', '佰', '仟'] as const;
const GROUPS = ['', '万', '亿', '万亿'] as const;

/** Four digits at most, with no zero at either end. */
function groupInWords(group: number): string {
  let words = '';
  let gap = false;
  for (let place = 3; place >= 0; place -= 1) {
    const digit = Math.floor(group / 10 ** place) % 10;
    if (digit === 0) {
      gap = words !== '';
      continue;
    }
    words += (gap ? '零' : '') + DIGITS[digit] + PLACES[place];
    gap = false;
  }
  return words;
}

/**
 * The amount in words as it stands on bills (大写金额, 正确填写票据和结算凭证的基本规定): one 零 for zeros between digits, 整 after whole yuan.
 * @param amount not negative, below 10^16 yuan
 */
export function amountInWords(amount: Minor): string {
  const yuan = amount / 100n;
  const jiao = Number((amount / 10n) % 10n);
  const fen = Number(amount % 10n);
  let words = '';
  let gap = false;
  for (let at = GROUPS.length - 1; at >= 0; at -= 1) {
    const group = Number((yuan / 10_000n ** BigInt(at)) % 10_000n);
    if (group === 0) {
      gap = words !== '';
      continue;
    }
    const zero = words !== '' && (gap || group < 1000) ? '零' : '';
    // 亿 is said once: what stands before it is counted in 万亿 only where nothing follows in its own group.
    const isWanYi = at === 3 && (yuan / 10_000n ** 2n) % 10_000n !== 0n;
    words += zero + groupInWords(group) + (isWanYi ? '万' : GROUPS[at]);
    gap = false;
  }
  if (yuan > 0n) words += '元';
  if (jiao === 0 && fen === 0) return `人民币${words === '' ? '零元' : words}整`;
  if (jiao > 0) words += `${DIGITS[jiao]}角`;
  else if (yuan > 0n) words += '零';
  if (fen > 0) words += `${DIGITS[fen]}分`;
  return `人民币${words}`;
}
