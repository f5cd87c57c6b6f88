import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import iconv from 'iconv-lite';
import ssh2, { type FileEntryWithStats, type SFTPWrapper, type Stats } from 'ssh2';
import { cutGbk } from '../../src/channels/files/gbk.js';
import {
  ChannelFileFaulty,
  type DayFileLine,
  dayEndNews,
  type FileForm,
  pspFile,
  type RemoteFiles,
  sftpFiles,
  unionPayFile,
} from '../../src/channels/files/index.js';
import { BankUnreachable, openChannels } from '../../src/channels/index.js';
import { institutionOf } from '../../src/channels/settings.js';
import { type RunningBank, startBank } from '../../src/channels/simulator/index.js';
import type { BusinessDate } from '../../src/kernel/index.js';

const DAY = '2026-03-02' as BusinessDate;
const NEXT_DAY = '2026-03-03' as BusinessDate;

function lineOf(no: number, changes: Partial<DayFileLine> = {}): DayFileLine {
  return {
    ...{ lineNo: no, messageNo: `${2236512894231552000n + BigInt(no)}`, channelRef: `U${no}`, status: 'settled' as const },
    ...{ amount: 100n + BigInt(no), reference: `${2236512894231552000n + BigInt(no)}`, businessDate: DAY },
    ...{ account: '6228480000000001', name: '张三', reason: '' },
    ...changes,
  };
}

/** A folder in memory: path → bytes. */
function folderOf(files: Record<string, Buffer>): RemoteFiles & { reads: number } {
  return {
    reads: 0,
    list: async (folder) =>
      Object.keys(files)
        .filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1)),
    async *read(path, from) {
      const bytes = files[path];
      if (bytes === undefined) throw new BankUnreachable(path, 'no such file');
      // In pieces of an odd size, so that rows and characters are cut anywhere.
      for (let at = from; at < bytes.length; at += 1_021) {
        this.reads += 1;
        yield bytes.subarray(at, at + 1_021);
      }
    },
    close: async () => undefined,
  };
}

const sha = (bytes: Buffer) => Buffer.from(`${createHash('sha256').update(bytes).digest('hex')}  x\n`);

function dayOf(form: FileForm, channel: 'collect' | 'psp', bytes: Buffer, date = DAY): Record<string, Buffer> {
  const path = `/${channel}/${form.nameOf(channel, date)}`;
  return { [`${path}.txt`]: bytes, [`${path}.sha256`]: sha(bytes), [`${path}.ok`]: Buffer.alloc(0) };
}

const FORMS = [
  ['fixed width in GBK', unionPayFile, 'collect'],
  ['bars in UTF-8', pspFile, 'psp'],
] as const;

describe.each(FORMS)('a file of %s', (_name, form, channel) => {
  const lines = [
    lineOf(1),
    lineOf(2, { status: 'failed', reason: '账户状态异常', name: 'Smith|Jones' }),
    lineOf(3, { status: 'returned', reference: 'RT3', name: '王'.repeat(80), reason: 'a\nb' }),
    lineOf(4, { status: 'refused', reason: 'over the limit' }),
  ];
  const whole = form.encode({ channel, date: DAY, lines, settlements: [] });
  const read = (bytes: Buffer, files = dayOf(form, channel, bytes)) => dayEndNews(folderOf(files), form).news(channel, '', 1_000);
  /** Changed as somebody would who mends the digest too. */
  const changed = (change: (text: string) => string) => read(Buffer.from(change(whole.toString('latin1')), 'latin1'));

  test('says of each line what became of it', async () => {
    const { items, next } = await read(whole);
    expect(items.map(({ cursor, status, reference, reason, amount }) => [cursor, status, reference, reason, amount])).toEqual([
      ['2026-03-02:1', 'settled', lineOf(1).reference, undefined, 101n],
      ['2026-03-02:2', 'failed', lineOf(2).reference, '账户状态异常', 102n],
      ['2026-03-02:3', 'returned', 'RT3', 'a b', 103n],
      ['2026-03-02:4', 'refused', lineOf(4).reference, 'over the limit', 104n],
    ]);
    expect(next).toBe('2026-03-02:4');
  });

  test('is not there before its marker, and does not count when its digest is missing', async () => {
    const files = dayOf(form, channel, whole);
    const path = `/${channel}/${form.nameOf(channel, DAY)}`;
    const { [`${path}.ok`]: _marker, ...unmarked } = files;
    expect(await read(whole, unmarked)).toEqual({ items: [], next: '' });
    const { [`${path}.sha256`]: _digest, ...undigested } = files;
    await expect(read(whole, undigested)).rejects.toBeInstanceOf(BankUnreachable);
    await expect(read(whole, { ...files, [`${path}.sha256`]: Buffer.from('x') })).rejects.toBeInstanceOf(ChannelFileFaulty);
    await expect(read(whole, { ...files, [`${path}.sha256`]: sha(Buffer.from('x')) })).rejects.toThrow('its digest is another');
  });

  test('that is cut off anywhere is refused whole', async () => {
    for (let bytes = 0; bytes < whole.length; bytes += 13)
      await expect(read(whole.subarray(0, bytes))).rejects.toBeInstanceOf(ChannelFileFaulty);
    await expect(read(whole.subarray(0, whole.length - 1))).rejects.toThrow('it is truncated');
  });

  test('of which one bit is turned over somewhere is refused whole', async () => {
    for (let at = 0; at < whole.length; at += 7) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] as number) ^ 0x04;
      const files = { ...dayOf(form, channel, whole), [`/${channel}/${form.nameOf(channel, DAY)}.txt`]: bytes };
      await expect(read(bytes, files)).rejects.toBeInstanceOf(ChannelFileFaulty);
    }
  });

  test('that contradicts itself is refused whole, although its digest is right', async () => {
    const rows = (text: string) => text.split('\n');
    await expect(changed((text) => rows(text).toSpliced(2, 1).join('\n'))).rejects.toThrow('line numbers have gaps');
    await expect(changed((text) => rows(text).toSpliced(4, 1).join('\n'))).rejects.toThrow('4 lines announced, 3 came');
    await expect(
      changed((text) =>
        rows(text)
          .toSpliced(1, 0, rows(text)[1] as string)
          .join('\n'),
      ),
    ).rejects.toThrow('gaps');
    await expect(changed((text) => `${text}${rows(text)[1]}\n`)).rejects.toThrow('behind its trailer');
    await expect(changed((text) => rows(text).toSpliced(5, 1).join('\n'))).rejects.toThrow('it is truncated');
    await expect(changed((text) => text.replace('101', '102'))).rejects.toThrow('the lines add up to');
    await expect(changed((text) => rows(text).toSpliced(0, 1).join('\n'))).rejects.toThrow('its header cannot be read');
    await expect(changed((text) => text.replaceAll('20260302', '20260303').replaceAll(DAY, NEXT_DAY))).rejects.toThrow('header');
    const other = form.encode({ channel, date: DAY, lines: [lineOf(1)], settlements: [] });
    const mixed = Buffer.concat([
      whole.subarray(0, whole.lastIndexOf(10, whole.length - 2) + 1),
      other.subarray(other.lastIndexOf(10, other.length - 2) + 1),
    ]);
    await expect(read(mixed)).rejects.toThrow('header and trailer contradict each other');
  });

  test('with a field that is too long, or in another encoding, is refused whole', async () => {
    await expect(changed((text) => text.replace('over the limit', `over the limit${'x'.repeat(5_000)}`))).rejects.toThrow(
      'too long',
    );
    if (channel === 'collect')
      await expect(changed((text) => text.replace('over the limit', 'over the limi'))).rejects.toThrow('row 4 cannot be read');
    await expect(changed((text) => text.replace('over the limit', 'over the l\xff\xfet'))).rejects.toThrow(
      'row 4 cannot be read',
    );
    const swapped =
      channel === 'psp' ? iconv.encode(whole.toString('utf8'), 'gbk') : Buffer.from(iconv.decode(whole, 'gbk'), 'utf8');
    await expect(read(swapped)).rejects.toBeInstanceOf(ChannelFileFaulty);
  });

  test('of many lines is read in pages, each line once, and read whole only once', async () => {
    const many = Array.from({ length: 2_503 }, (_, at) => lineOf(at + 1));
    const folder = folderOf(dayOf(form, channel, form.encode({ channel, date: DAY, lines: many, settlements: [] })));
    const news = dayEndNews(folder, form);
    const seen: string[] = [];
    let after = '';
    const costs: number[] = [];
    for (;;) {
      const before = folder.reads;
      const page = await news.news(channel, after, 400);
      if (page.items.length === 0) break;
      costs.push(folder.reads - before);
      seen.push(...page.items.map((item) => item.messageNo));
      after = page.next;
    }
    expect(seen).toEqual(many.map((line) => line.messageNo));
    expect(after).toBe('2026-03-02:2503');
    expect(Math.max(...costs.slice(1))).toBeLessThan(costs[0] as number);
  });

  test('that is changed after it was read is refused, and read whole again once it is mended', async () => {
    const files = dayOf(form, channel, whole);
    const path = `/${channel}/${form.nameOf(channel, DAY)}.txt`;
    const news = dayEndNews(folderOf(files), form);
    expect((await news.news(channel, '', 2)).items).toHaveLength(2);
    files[path] = Buffer.from(whole.toString('latin1').replace('over the limit', 'over the limyt'), 'latin1');
    await expect(news.news(channel, '2026-03-02:2', 2)).rejects.toThrow('it was changed while it was read');
    await expect(news.news(channel, '2026-03-02:2', 2)).rejects.toThrow('its digest is another');
    files[path] = whole;
    expect((await news.news(channel, '2026-03-02:2', 2)).items).toHaveLength(2);
  });

  test('that is faulty stops the feed there: what came before it counts, what comes after it waits', async () => {
    const next = form.encode({ channel, date: NEXT_DAY, lines: [lineOf(1)], settlements: [] });
    const good = dayOf(form, channel, whole);
    const news = dayEndNews(folderOf({ ...good, ...dayOf(form, channel, next.subarray(1), NEXT_DAY) }), form);
    expect((await news.news(channel, '', 1_000)).next).toBe('2026-03-02:4');
    await expect(news.news(channel, '2026-03-02:4', 1_000)).rejects.toBeInstanceOf(ChannelFileFaulty);
  });
});

describe('a field of GBK bytes', () => {
  test('leaves out a character that it would cut in the middle', () => {
    expect(cutGbk('王王王', 5).toString('hex')).toBe(`${iconv.encode('王王', 'gbk').toString('hex')}20`);
    expect(cutGbk('a王', 2).toString('latin1')).toBe('a ');
    expect(cutGbk('a\tb\n', 5).toString('latin1')).toBe('a b  ');
  });

  test('that ends in half a character makes the file faulty, even where its neighbour would make it whole', async () => {
    const whole = unionPayFile.encode({
      channel: 'collect',
      date: DAY,
      lines: [lineOf(1, { name: '王'.repeat(30) })],
      settlements: [],
    });
    const bytes = Buffer.from(whole);
    const name = bytes.indexOf(iconv.encode('王王', 'gbk'));
    // One byte to the right: the last character of the name would now end in the reason behind it.
    bytes.copyWithin(name + 1, name, name + 59);
    bytes[name] = 'a'.charCodeAt(0);
    const news = dayEndNews(folderOf(dayOf(unionPayFile, 'collect', bytes)), unionPayFile).news('collect', '', 10);
    await expect(news).rejects.toThrow('row 1 cannot be read');
  });

  test('keeps a character whose second byte looks like a bar', async () => {
    const name = iconv.decode(Buffer.from([0x81, 0x7c]), 'gbk');
    const bytes = unionPayFile.encode({
      channel: 'collect',
      date: DAY,
      lines: [lineOf(1, { name, status: 'failed', reason: name })],
      settlements: [],
    });
    const { items } = await dayEndNews(folderOf(dayOf(unionPayFile, 'collect', bytes)), unionPayFile).news('collect', '', 10);
    expect(items[0]?.reason).toBe(name);
  });
});

test('what an institution pays over in one sum is what its lines add up to, or the file is refused', async () => {
  const lines = [lineOf(1, { reference: 'PS1' }), lineOf(2, { reference: 'PS1' })];
  const settlement = { reference: 'PS1', custodyNo: 'C-1', creditedOn: NEXT_DAY, count: 2, amount: 203n };
  const read = (settlements: (typeof settlement)[]) =>
    dayEndNews(folderOf(dayOf(pspFile, 'psp', pspFile.encode({ channel: 'psp', date: DAY, lines, settlements }))), pspFile).news(
      'psp',
      '',
      9,
    );
  expect((await read([settlement])).items.map((item) => item.reference)).toEqual(['PS1', 'PS1']);
  await expect(read([{ ...settlement, amount: 204n }])).rejects.toThrow('not what its lines add up to');
  await expect(read([{ ...settlement, count: 1 }])).rejects.toThrow('not what its lines add up to');
  await expect(read([])).rejects.toThrow('lines name a sum that it does not have');
});

describe('the SFTP server of the simulator', () => {
  let bank: RunningBank;
  beforeAll(async () => {
    bank = await startBank({ port: 0, seed: 1 });
  });
  afterAll(() => bank.stop());
  const open = (changes: object) =>
    sftpFiles({ ...institutionOf('psp', bank.url).files, timeoutMs: 5_000, connectTimeoutMs: 5_000, ...changes });

  test('shows a user the folders of its own channels, and its host key is the one that it publishes', async () => {
    const place = (await (await fetch(`${bank.url}/sandbox/sftp`)).json()) as { host: string; port: number; hostKey: string };
    const files = open(place);
    expect(await files.list('/psp')).toEqual([]);
    for (const folder of ['/', '/psp/..']) expect(await files.list(folder)).toEqual(['psp', 'psp-collect']);
    for (const folder of ['/unionpay', '/psp/../collect', '/psp/psp_20260302.txt'])
      await expect(files.list(folder)).rejects.toBeInstanceOf(BankUnreachable);
    await files.close();
  });

  test.each([
    ['another host key', { hostKey: `SHA256:${'A'.repeat(43)}` }],
    ['another user', { user: 'root' }],
    ['another key of ours', { key: institutionOf('psp', 'http://127.0.0.1:9').key.privateKey }],
  ])('is not talked to with %s', async (_name, changes) => {
    const files = open(changes);
    await expect(files.list('/psp')).rejects.toBeInstanceOf(BankUnreachable);
    await files.close();
  });

  const connected = async () => {
    const place = (await (await fetch(`${bank.url}/sandbox/sftp`)).json()) as { host: string; port: number; privateKey: string };
    const client = new ssh2.Client();
    await new Promise<void>((ready, failed) => {
      client.once('error', failed).once('ready', ready);
      client.connect({ host: place.host, port: place.port, username: 'psp', privateKey: place.privateKey });
    });
    return client;
  };

  test('is served to any client with the key that it publishes: where am I, what is this, what is in it', async () => {
    const file = '/psp/psp_20260302.txt';
    bank.bank.dayEnd.add('psp', DAY, lineOf(1));
    bank.bank.setDate(NEXT_DAY);
    const client = await connected();
    const asked = <T>(how: (sftp: SFTPWrapper, done: (error: unknown, value: T) => void) => void) =>
      new Promise<T>((resolve, reject) =>
        client.sftp((lost, sftp) =>
          lost ? reject(lost) : how(sftp, (error, value) => (error ? reject(error) : resolve(value))),
        ),
      );
    expect(await asked<string>((sftp, done) => sftp.realpath('.', done))).toBe('/');
    expect(await asked<string>((sftp, done) => sftp.realpath('psp/../psp-collect/.', done))).toBe('/psp-collect');
    for (const ask of ['stat', 'lstat'] as const) {
      expect((await asked<Stats>((sftp, done) => sftp[ask]('/psp', done))).isDirectory()).toBe(true);
      const found = await asked<Stats>((sftp, done) => sftp[ask]('psp/psp_20260302.txt', done));
      const bytes = await asked<Buffer>((sftp, done) => sftp.readFile(file, done));
      expect([found.isFile(), found.size, found.mtime]).toEqual([
        true,
        bytes.length,
        Date.parse('2026-03-03T00:00:00+08:00') / 1000,
      ]);
    }
    const entries = await asked<FileEntryWithStats[]>((sftp, done) => sftp.readdir('psp', done));
    expect(entries.map(({ filename }) => filename)).toEqual(['txt', 'sha256', 'ok'].map((end) => `psp_20260302.${end}`));
    await expect(asked((sftp, done) => sftp.unlink(file, (error) => done(error, null)))).rejects.toMatchObject({ code: 3 });
    await expect(asked((sftp, done) => sftp.open(file, 'w', done))).rejects.toMatchObject({ code: 3 });
    client.end();
  });

  test('ends the channel of a client that has said its last word', async () => {
    const client = await connected();
    const ended = await new Promise((resolve, reject) =>
      client.subsys('sftp', (error, channel) => {
        if (error) return reject(error);
        channel.on('close', (code: number | null) => resolve(code)).resume();
        channel.end();
      }),
    );
    expect(ended).toBe(0);
    client.end();
  });

  test('that stays silent is given up, and asked anew', async () => {
    const ways = openChannels({ bankUrl: bank.url, timeoutMs: 200 });
    bank.bank.faults.replace({ scripted: [{ scope: 'psp', on: 'news', fault: 'half-open' }] });
    await expect(ways.channels.psp.news('', 10)).rejects.toBeInstanceOf(BankUnreachable);
    const patient = openChannels({ bankUrl: bank.url, timeoutMs: 20_000 });
    expect((await patient.channels.psp.news('', 10)).items).toHaveLength(1);
    await Promise.all([ways.close(), patient.close()]);
  });
});
