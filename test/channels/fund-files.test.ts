import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import iconv from 'iconv-lite';
import ssh2, { type SFTPWrapper } from 'ssh2';
import { type RemoteFolder, sftpFiles } from '../../src/channels/files/index.js';
import {
  type FundApplication,
  type FundConfirmation,
  FundFileFaulty,
  type FundFileKind,
  type FundQuote,
  type FundRecords,
  fundExchange,
  fundForms,
} from '../../src/channels/funds/index.js';
import { type OfdForm, ofdName, readOfd, writeOfd } from '../../src/channels/funds/ofd.js';
import { BankRefused, BankUnreachable, openChannels } from '../../src/channels/index.js';
import { fundSettingsOf } from '../../src/channels/settings.js';
import { type RunningBank, startBank } from '../../src/channels/simulator/index.js';
import type { BusinessDate } from '../../src/kernel/index.js';

const day = (text: string) => text as BusinessDate;
const FRIDAY = day('2026-03-06');
const MONDAY = day('2026-03-09');
const TUESDAY = day('2026-03-10');
const forms = fundForms('999');
const HEAD = { creator: 'TA1', receiver: '999', date: MONDAY };
const shaOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

function confirmationOf(no: number, changes: Partial<FundConfirmation> = {}): FundConfirmation {
  return {
    ...{ orderNo: `${2236512894231552000n + BigInt(no)}-1`, fund: '000198', business: 'subscription' as const },
    ...{ tradeDate: FRIDAY, confirmDate: MONDAY, account: 'GZ4NKD4Z3OCG', returnCode: '0000' },
    ...{ amount: 100_000n + BigInt(no), units: 100_000n + BigInt(no), nav: 10_000n, serialNo: `C${no}`, reason: '' },
    ...changes,
  };
}

async function bytesOf<T>(form: OfdForm<T>, records: readonly T[], head = HEAD): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of writeOfd(form, head, records.length, [records])) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* inParts(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read<T>(form: OfdForm<T>, bytes: Buffer, { digest = shaOf(bytes), size = 97, head = HEAD } = {}): Promise<T[]> {
  const records: T[] = [];
  await readOfd(form, head, inParts(bytes, size), digest, async (some) => void records.push(...some));
  return records;
}

describe('a file in the exchange form', () => {
  const records = [confirmationOf(1), confirmationOf(2, { returnCode: '0001', units: 0n, reason: '管理人拒绝' })];

  test('is rows of fixed width by bytes of GBK, between a title and an end', async () => {
    const rows = iconv
      .decode(await bytesOf(forms.confirmations, [confirmationOf(1, { reason: '份额不足' })]), 'gbk')
      .split('\r\n');
    expect(rows.slice(0, 10)).toEqual([
      ...['OFDCFDAT', '22  ', 'TA1      ', '999      ', '20260309', '001', '04', 'TA1     ', '999     ', '013'],
    ]);
    expect(rows.slice(10, 23)).toEqual([
      ...['AppSheetSerialNo', 'TransactionCfmDate', 'FundCode', 'TransactionDate', 'TransactionAccountID', 'DistributorCode'],
      ...['BusinessCode', 'ReturnCode', 'ConfirmedAmount', 'ConfirmedVol', 'NAV', 'TASerialNO', 'Specification'],
    ]);
    expect(rows.slice(23)).toEqual([
      '00000001',
      `2236512894231552001-1   ${'20260309'}000198${'20260306'}GZ4NKD4Z3OCG     999      1220000` +
        `${'0000000000100001'.repeat(2)}0010000C1                  份额不足${' '.repeat(52)}`,
      ...['OFDCFEND', ''],
    ]);
    expect(ofdName(HEAD, '04')).toBe('OFD_TA1_999_20260309_04');
  });

  test('is read as it was written, however it is cut on the way', async () => {
    const bytes = await bytesOf(forms.confirmations, records);
    for (const size of [1, 2, 61, 8_192]) expect(await read(forms.confirmations, bytes, { size })).toEqual(records);
    expect(await read(forms.confirmations, await bytesOf(forms.confirmations, []))).toEqual([]);
    const open = bytes.subarray(0, bytes.length - 2);
    expect(await read(forms.confirmations, open)).toEqual(records);
  });

  test('of every type says the same when it is read', async () => {
    const application: FundApplication = {
      ...{ orderNo: '2236512894231552000-1', fund: '000198', business: 'fast-redemption', tradeDate: FRIDAY, time: '145959' },
      ...{ account: 'GZ4NKD4Z3OCG', amount: 0n, units: 9_999_999_999_999_999n, depositAccount: 'C-2026-0000000000000000001' },
    };
    const quotes: FundQuote[] = [
      { fund: '000198', date: FRIDAY, nav: 10_000n, income: 5_123n, yield: 1_825n },
      { fund: '000198', date: day('2026-03-07'), nav: 10_000n, income: -12n, yield: -3n },
    ];
    const holding = { account: 'GZ4NKD4Z3OCG', fund: '000198', date: MONDAY, units: 1n };
    const dividend = { account: 'GZ4NKD4Z3OCG', fund: '000198', date: FRIDAY, basis: 100_000n, units: 5n, serialNo: 'D1' };
    expect(await read(forms.applications, await bytesOf(forms.applications, [application]))).toEqual([application]);
    expect(await read(forms.quotes, await bytesOf(forms.quotes, quotes))).toEqual(quotes);
    expect(await read(forms.holdings, await bytesOf(forms.holdings, [holding]))).toEqual([holding]);
    expect(await read(forms.dividends, await bytesOf(forms.dividends, [dividend]))).toEqual([dividend]);
  });

  test('may have its fields in another order, and says in its head in which', async () => {
    const bytes = await bytesOf(forms.holdings, [{ account: 'A1', fund: '000198', date: MONDAY, units: 7n }]);
    const swapped = bytes
      .toString('latin1')
      .replace('TransactionAccountID\r\nFundCode', 'FUNDCODE\r\nTRANSACTIONACCOUNTID')
      .replace('A1               000198', '000198A1               ');
    expect(await read(forms.holdings, Buffer.from(swapped, 'latin1'))).toEqual([
      { account: 'A1', fund: '000198', date: MONDAY, units: 7n },
    ]);
  });

  test('that is cut off anywhere, or of which one bit is turned over, is refused whole', async () => {
    const bytes = await bytesOf(forms.confirmations, records);
    const digest = shaOf(bytes);
    for (let end = 0; end < bytes.length - 2; end += 11)
      await expect(read(forms.confirmations, bytes.subarray(0, end))).rejects.toBeInstanceOf(FundFileFaulty);
    for (let at = 0; at < bytes.length; at += 7) {
      const turned = Buffer.from(bytes);
      turned[at] = (turned[at] as number) ^ 0x04;
      await expect(read(forms.confirmations, turned, { digest })).rejects.toBeInstanceOf(FundFileFaulty);
    }
  });

  test('that contradicts itself is refused whole, although its digest is right', async () => {
    const whole = (await bytesOf(forms.confirmations, records)).toString('latin1');
    const changed = (change: (text: string) => string) => read(forms.confirmations, Buffer.from(change(whole), 'latin1'));
    const rows = (text: string, from: number, drop: number, ...put: string[]) =>
      text
        .split('\r\n')
        .toSpliced(from, drop, ...put)
        .join('\r\n');
    const record = whole.split('\r\n')[24] as string;
    await expect(changed((text) => rows(text, 25, 1))).rejects.toThrow('2 records announced, 1 came');
    await expect(changed((text) => rows(text, 25, 0, record))).rejects.toThrow('2 records announced, and more came');
    await expect(changed((text) => rows(text, 23, 1, '00000003'))).rejects.toThrow('3 records announced, 2 came');
    await expect(changed((text) => rows(text, 23, 1, '0000002x'))).rejects.toThrow('the number of its records');
    await expect(changed((text) => rows(text, 27, 0, record))).rejects.toThrow('something stands behind its end');
    await expect(changed((text) => rows(text, 26, 1))).rejects.toThrow('it is truncated');
    await expect(changed((text) => text.replace('NAV\r\n', 'NAW\r\n'))).rejects.toThrow('a field that nobody knows: "NAW"');
    await expect(changed((text) => text.replace('NAV\r\n', 'FundCode\r\n'))).rejects.toThrow('the field FundCode twice');
    await expect(changed((text) => rows(text, 9, 2, '012'))).rejects.toThrow('it lacks the field AppSheetSerialNo');
    await expect(changed((text) => rows(text, 6, 1, '05'))).rejects.toThrow('row 7 of its head is another');
    await expect(changed((text) => rows(text, 4, 1, '20260310'))).rejects.toThrow('row 5 of its head is another');
    await expect(changed((text) => rows(text, 2, 1, 'TA2'))).rejects.toThrow('row 3 of its head is another');
    await expect(changed((text) => text.replace('\r\n', '\n'))).rejects.toThrow('row 1 of its head is another');
    await expect(changed((text) => text.replace('1220000', '1230000'))).rejects.toThrow('record 1 cannot be read');
    await expect(changed((text) => text.replace('999      122', '998      122'))).rejects.toThrow('record 1 cannot be read');
    await expect(changed((text) => text.replace('0010000C1', '00100x0C1'))).rejects.toThrow('record 1 cannot be read');
    await expect(changed((text) => text.replace('C2 ', 'C2'))).rejects.toThrow('record 2 cannot be read');
    await expect(changed((text) => `${text}${'x'.repeat(5_000)}`)).rejects.toThrow('something stands behind its end');
    await expect(changed((text) => rows(text, 1, 0, 'x'.repeat(5_000)))).rejects.toThrow('a row is too long');
    const utf8 = Buffer.from(iconv.decode(Buffer.from(whole, 'latin1'), 'gbk'), 'utf8');
    await expect(read(forms.confirmations, utf8)).rejects.toThrow('record 2 cannot be read');
  });

  test('is not written with a number that its field has no room for, nor with another count than it announced', async () => {
    await expect(bytesOf(forms.confirmations, [confirmationOf(1, { amount: 10n ** 16n })])).rejects.toThrow('has no room');
    await expect(bytesOf(forms.confirmations, [confirmationOf(1, { amount: -1n })])).rejects.toThrow('has no room');
    const few = async () => {
      for await (const _ of writeOfd(forms.confirmations, HEAD, 2, [records.slice(0, 1)]));
    };
    await expect(few()).rejects.toThrow('2 records were announced, and 1 came');
  });

  test('with an income that has five decimals is refused: cutting it would be a decision of ours', async () => {
    const bytes = await bytesOf(forms.quotes, [{ fund: '000198', date: FRIDAY, nav: 10_000n, income: 5_123n, yield: 1n }]);
    const odd = Buffer.from(bytes.toString('latin1').replace('00051230', '00051231'), 'latin1');
    await expect(read(forms.quotes, odd)).rejects.toThrow('record 1 cannot be read');
  });
});

describe('the exchange with the simulated fund company', () => {
  let bank: RunningBank;
  let folder: RemoteFolder;
  beforeAll(async () => {
    bank = await startBank({ port: 0, seed: 1 });
    folder = sftpFiles({ ...fundSettingsOf(bank.url).files, timeoutMs: 5_000, connectTimeoutMs: 5_000 });
  });
  afterAll(async () => {
    await folder.close();
    await bank.stop();
  });
  beforeEach(() => {
    bank.bank.reset();
    bank.bank.setDate(FRIDAY);
    bank.bank.openCustodyAccount('C-1', 'shop');
    bank.bank.funds.setFund({ code: '000198', company: 'TA1', kind: 'money', paysIn: 1, sells: true });
    bank.bank.funds.setFund({ code: '110011', company: 'TA1', kind: 'other', paysIn: 3, sells: true });
  });

  const exchange = () => fundExchange(folder, '999');
  const orderOf = (orderNo: string, of: Partial<FundApplication> = {}): FundApplication => ({
    ...{ orderNo, fund: '000198', business: 'subscription', tradeDate: FRIDAY, time: '100000', account: 'A1' },
    ...{ amount: 1_000_000n, units: 0n, depositAccount: 'C-1', ...of },
  });
  const handIn = (date: BusinessDate, orders: readonly FundApplication[]) =>
    exchange().handIn('TA1', date, orders.length, async function* () {
      yield orders;
    });
  async function all<K extends FundFileKind>(kind: K, date: BusinessDate): Promise<FundRecords[K][]> {
    const records: FundRecords[K][] = [];
    await exchange().read({ company: 'TA1', kind, date }, async (some) => void records.push(...some));
    return records;
  }

  test('has no file before its day, and then all that became of the orders', async () => {
    await handIn(FRIDAY, [
      orderOf('1-1'),
      orderOf('2-1', { fund: '110011', amount: 100_000n }),
      orderOf('3-1', { fund: '999999' }),
    ]);
    bank.bank.funds.setQuote({ fund: '110011', date: FRIDAY, nav: 15_000n, income: 0n, yield: 0n });
    expect(await exchange().isReady('TA1', 'confirmations', MONDAY)).toBe(false);
    bank.bank.setDate(MONDAY);
    expect(await exchange().isReady('TA1', 'confirmations', MONDAY)).toBe(true);
    const said = (await all('confirmations', MONDAY)).map((each) => [
      each.orderNo,
      each.returnCode,
      each.amount,
      each.units,
      each.reason,
    ]);
    expect(said).toEqual([
      ['1-1', '0000', 1_000_000n, 1_000_000n, ''],
      ['2-1', '0000', 100_000n, 66_667n, ''], // 1,000.00 / 1.5000
      ['3-1', '0001', 0n, 0n, '无此基金'],
    ]);
    expect(await all('holdings', MONDAY)).toEqual([
      { account: 'A1', fund: '000198', date: MONDAY, units: 1_000_000n },
      { account: 'A1', fund: '110011', date: MONDAY, units: 66_667n },
    ]);
    // Nothing was there to earn anything at the weekend; the day of a fund of the other kind is the trading day alone.
    expect(await all('dividends', MONDAY)).toEqual([]);
    expect((await all('quotes', MONDAY)).map(({ fund, date }) => `${fund} ${date}`)).toEqual([
      ...['000198 2026-03-06', '110011 2026-03-06', '000198 2026-03-07', '000198 2026-03-08'],
    ]);
  });

  test('pays what is redeemed to the account that it was told, once, and tells what units earned', async () => {
    await handIn(FRIDAY, [orderOf('1-1')]);
    await handIn(MONDAY, [orderOf('2-1', { business: 'redemption', amount: 0n, units: 400_000n, tradeDate: MONDAY })]);
    bank.bank.setDate(TUESDAY);
    expect(await all('dividends', TUESDAY)).toEqual([
      // 10,000.00 units at 0.5000 for 10,000
      expect.objectContaining({ account: 'A1', date: MONDAY, basis: 1_000_000n, units: 50n }),
    ]);
    expect((await all('holdings', TUESDAY)).map(({ units }) => units)).toEqual([600_050n]);
    await all('confirmations', TUESDAY);
    expect(bank.bank.statement('C-1', TUESDAY).lines).toMatchObject([{ reference: 'FR2-1', amount: 400_000n }]);
    expect(bank.bank.funds.books()).toMatchObject({ paid: 400_000n, unpaid: [] });
  });

  test('takes a file once: the same again is the same, another one is refused, and what is half there is no file', async () => {
    const first = await handIn(FRIDAY, [orderOf('1-1')]);
    expect(await handIn(FRIDAY, [orderOf('1-1')])).toEqual(first);
    await expect(handIn(FRIDAY, [orderOf('2-1')])).rejects.toBeInstanceOf(BankRefused);
    await folder.write('/TA1/inbox/OFD_999_TA1_20260309_03.TXT', [Buffer.from('half')]);
    await handIn(MONDAY, []);
    await expect(folder.write('/TA1/inbox/OFD_999_TA1_20260309_03.TXT', [])).rejects.toBeInstanceOf(BankUnreachable);
    await folder.write('/TA1/inbox/OFD_999_TA1_20260310_03.TXT', [Buffer.from('half')]);
    await expect(folder.write('/TA1/inbox/OFD_999_TA1_20260310_03.ok', [])).rejects.toBeInstanceOf(BankUnreachable);
    for (const path of [
      '/TA1/outbox/OFD_TA1_999_20260309_04.TXT',
      '/TA1/inbox/x.TXT',
      '/x',
      '/TA1/inbox/OFD_999_TA2_20260309_03.TXT',
    ])
      await expect(folder.write(path, [])).rejects.toBeInstanceOf(BankUnreachable);
    expect(bank.bank.funds.books().companies[0]?.orders.map(({ orderNo }) => orderNo)).toEqual(['1-1']);
  });

  test('whose answer was lost is asked again, and an order is taken once', async () => {
    bank.bank.faults.replace({ scripted: [{ scope: 'funds', on: 'submit', fault: 'lost-answer', times: 2 }] });
    await expect(handIn(FRIDAY, [orderOf('1-1')])).rejects.toBeInstanceOf(BankUnreachable);
    await expect(handIn(FRIDAY, [orderOf('1-1')])).rejects.toBeInstanceOf(BankUnreachable);
    await handIn(FRIDAY, [orderOf('1-1')]);
    expect(bank.bank.funds.books().companies[0]?.orders).toHaveLength(1);
  });

  test('has every fault that is asked for, and its own books stay right', async () => {
    await handIn(
      FRIDAY,
      ['1-1', '2-1', '3-1', '4-1', '5-1'].map((no) => orderOf(no)),
    );
    const scripted = [
      { fault: 'confirmation-missing' as const, messageNo: '1-1', days: 1 },
      { fault: 'confirmation-twice' as const, messageNo: '2-1' },
      { fault: 'confirmation-failed' as const, messageNo: '3-1', reason: '暂停申购' },
      { fault: 'confirmation-amount' as const, messageNo: '4-1', amount: '-1' },
      { fault: 'confirmation-unknown' as const, reference: '77' },
      { fault: 'holding-units' as const, messageNo: 'A1', amount: '5', times: 1 },
      { fault: 'quote-day' as const, messageNo: '000198', times: 1 },
      { fault: 'files-late' as const, businessDate: TUESDAY, days: 1 },
      { fault: 'file-damaged' as const, messageNo: 'dividends', businessDate: MONDAY },
    ];
    bank.bank.faults.replace({ scripted: scripted.map((rule) => ({ scope: 'funds', ...rule })) });
    bank.bank.setDate(MONDAY);
    expect((await all('confirmations', MONDAY)).map(({ orderNo, amount, returnCode }) => [orderNo, amount, returnCode])).toEqual([
      ...[
        ['2-1', 1_000_000n, '0000'],
        ['2-1', 1_000_000n, '0000'],
        ['3-1', 0n, '0001'],
        ['4-1', 999_999n, '0000'],
      ],
      ...[
        ['5-1', 1_000_000n, '0000'],
        ['77', 1_000_000n, '0000'],
      ],
    ]);
    expect((await all('holdings', MONDAY)).map(({ units }) => units)).toEqual([4_000_005n]);
    expect((await all('quotes', MONDAY)).filter(({ fund }) => fund === '000198').map(({ date }) => date)).toEqual([
      ...['2026-03-05', '2026-03-07', '2026-03-08'],
    ]);
    await expect(all('dividends', MONDAY)).rejects.toThrow('its digest is another');
    bank.bank.setDate(TUESDAY);
    expect(await exchange().isReady('TA1', 'confirmations', TUESDAY)).toBe(false);
    bank.bank.setDate(day('2026-03-11'));
    expect((await all('confirmations', TUESDAY)).map(({ orderNo, confirmDate }) => [orderNo, confirmDate])).toEqual([
      ['1-1', TUESDAY],
    ]);
    expect(bank.bank.funds.books().companies[0]?.holdings).toMatchObject([{ units: 4_000_200n }]);
  });

  test('shows its folders to nobody else, and lets nobody else write', async () => {
    const ways = openChannels({ bankUrl: bank.url });
    expect(await ways.funds.isReady('TA1', 'quotes', MONDAY)).toBe(false);
    await ways.close();
    const place = fundSettingsOf(bank.url).files;
    const other = sftpFiles({ ...place, user: 'psp', timeoutMs: 5_000, connectTimeoutMs: 5_000 });
    await expect(other.write('/TA1/inbox/OFD_999_TA1_20260306_03.TXT', [])).rejects.toBeInstanceOf(BankUnreachable);
    await expect(other.list('/TA1')).rejects.toBeInstanceOf(BankUnreachable);
    await other.close();
    const { privateKey } = (await (await fetch(`${bank.url}/sandbox/sftp`)).json()) as { privateKey: string };
    const client = new ssh2.Client();
    await new Promise<void>((ready, failed) => {
      client.once('error', failed).once('ready', ready);
      client.connect({ host: place.host, port: place.port, username: 'funds', privateKey });
    });
    const removed = new Promise((resolve) =>
      client.sftp((_, sftp: SFTPWrapper) => sftp.unlink('/TA1/inbox/OFD_999_TA1_20260306_03.TXT', (error) => resolve(error))),
    );
    expect(await removed).toMatchObject({ code: 3 });
    client.end();
  });
});
