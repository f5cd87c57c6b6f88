import { parseInstant, toYuan } from '../../kernel/index.js';
import { ACCOUNT_TYPES, type AccountType } from '../../ledger/index.js';
import { INK, print, rule, write } from '../paper.js';
import type { EntryReceipt } from './rules.js';

/** A5 across, in points. */
const WIDTH = 595.28;
const EDGE = 36;
const INNER = WIDTH - 2 * EDGE;
const ROW = 25;

/** A receipt as the bank prints it. @throws Refused OVERLOADED */
export function receiptPdf({ content: of, keyId, signature }: EntryReceipt, verifyAt: string): Promise<Buffer> {
  const madeMs = parseInstant(of.postedAt);
  const yuan = toYuan(BigInt(of.amount)).replace(/\B(?=(\d{3})+(?=\.))/g, ',');
  const { zh, en } = ACCOUNT_TYPES[of.accountType as AccountType];
  const rows: readonly (readonly [string, string])[] = [
    ['账户 Account', `${of.account}   ${zh} ${en}`],
    ['户名 Holder', of.holder ?? '—'],
    ['平台 / 商户 Platform / merchant', `${of.platformName}${of.merchantNo === null ? '' : ` / ${of.merchantNo}`}`],
    ['对方 Counterparty', of.counter.zh === of.counter.en ? of.counter.zh : `${of.counter.zh}   ${of.counter.en}`],
    ['摘要 Kind', `${of.kindName.zh}   ${of.kindName.en}`],
    ['会计日 / 入账时间 Date', `${of.businessDate}   ${of.postedAt.slice(0, 19).replace('T', ' ')}`],
    ['请求流水号 Request no.', of.requestNo],
    ['指令号 / 序号 Instruction', `${of.instruction}   #${of.seq}`],
  ];
  return print({ size: 'A5', title: `电子回单 ${of.receiptNo}`, madeMs: madeMs ?? (0 as never) }, async (paper) => {
    paper.addPage();
    write(paper, '电子回单', { x: EDGE, y: 26, width: 240, size: 18, face: 'medium' });
    write(paper, 'Electronic receipt', { x: EDGE + 84, y: 35, width: 200, size: 9, ink: INK.faint });
    write(paper, `No. ${of.receiptNo}`, { x: EDGE, y: 35, width: INNER, size: 8, align: 'right', ink: INK.faint });
    rule(paper, EDGE, 58, INNER, INK.text);
    paper.rect(EDGE, 66, INNER, 34).fill(INK.band);
    write(paper, of.side === 'in' ? '收入 In' : '支出 Out', { x: EDGE + 10, y: 75, width: 90, size: 11, face: 'medium' });
    write(paper, `CNY ${yuan}`, { x: EDGE + 110, y: 72, width: INNER - 120, size: 15, face: 'medium', align: 'right' });
    let y = 110;
    for (const [name, value] of rows) {
      write(paper, name, { x: EDGE + 4, y: y + 4, width: 150, size: 8, ink: INK.faint });
      write(paper, value, { x: EDGE + 158, y: y + 3, width: INNER - 162, size: 9 });
      rule(paper, EDGE, y + ROW - 4, INNER);
      y += ROW;
    }
    write(paper, '验证码 Verification code', { x: EDGE + 4, y: y + 9, width: 150, size: 8, ink: INK.faint });
    write(paper, of.code, { x: EDGE + 158, y: y + 4, width: 220, size: 13, face: 'medium', ink: INK.seal });
    write(paper, `验证地址 Verify at  ${verifyAt}`, { x: EDGE + 4, y: y + 32, width: INNER - 8, size: 7.5, ink: INK.faint });
    write(paper, `签名 Signature  ${keyId} ${signature}`, { x: EDGE + 4, y: y + 46, width: INNER - 8, size: 7, ink: INK.faint });
    write(paper, '姓名及账号已脱敏。本回单不作为收款凭证，重复打印有效性不变。 Names are masked.', {
      x: EDGE + 4,
      y: y + 60,
      width: INNER - 8,
      size: 7,
      ink: INK.faint,
    });
  });
}
