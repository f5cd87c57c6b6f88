import { createHash } from 'node:crypto';
import type { BusinessDate } from '../../kernel/index.js';
import { digestBeside, type RemoteFolder } from '../files/index.js';
import { BankRefused } from '../port.js';
import { type FundApplication, type FundFileKind, type FundRecords, fundForms } from './fund-files.js';
import { FundFileFaulty, type OfdForm, ofdName, readOfd, writeOfd } from './ofd.js';

/**
 * The exchange of files with fund companies (基金数据交换) at one place for all of them: each has a folder with an inbox, into which the orders of a
 * trading day are put, and an outbox. Beside each file lie its digest and, last of all, an empty marker: without it the file is not there.
 */
export interface FundExchange {
  /**
   * Hands in the orders of a trading day, once; the same file again is the same.
   * @param count how many there are; also none at all are handed in, so that the company knows that none are missing
   * @throws BankUnreachable when it is not known whether it is there: hand it in again; BankRefused when another one of that day was
   */
  handIn(
    company: string,
    date: BusinessDate,
    count: number,
    pages: () => AsyncIterable<readonly FundApplication[]>,
  ): Promise<{ readonly digest: string }>;
  /** Whether the company's file of a date is ready. @throws BankUnreachable */
  isReady(company: string, kind: FundFileKind, date: BusinessDate): Promise<boolean>;
  /**
   * Reads a file whole. Read it once without `take` before anything of it counts, and again with the digest that it had.
   * @param digest that it must have; whatever the company says of it when absent
   * @throws BankUnreachable, FundFileFaulty: then nothing that was taken counts
   */
  read<K extends FundFileKind>(
    of: { readonly company: string; readonly kind: K; readonly date: BusinessDate; readonly digest?: string },
    take?: (records: readonly FundRecords[K][], first: number) => Promise<void>,
  ): Promise<{ readonly count: number; readonly digest: string }>;
}

/** @param distributor our own code (销售机构代码) */
export function fundExchange(files: RemoteFolder, distributor: string): FundExchange {
  const forms = fundForms(distributor);
  const outgoing = (company: string, date: BusinessDate) => ({ creator: distributor, receiver: company, date });
  const incoming = (company: string, date: BusinessDate) => ({ creator: company, receiver: distributor, date });
  const outbox = (company: string, kind: FundFileKind, date: BusinessDate) =>
    `/${company}/outbox/${ofdName(incoming(company, date), forms[kind].type)}`;
  return {
    async handIn(company, date, count, pages) {
      const head = outgoing(company, date);
      const name = ofdName(head, forms.applications.type);
      const path = `/${company}/inbox/${name}`;
      const content = () => writeOfd(forms.applications, head, count, pages());
      const hash = createHash('sha256');
      for await (const chunk of content()) hash.update(chunk);
      const digest = hash.digest('hex');
      if (await files.has(`${path}.ok`)) {
        if ((await digestBeside(files, path, (why) => new FundFileFaulty(name, why))) !== digest)
          throw new BankRefused(`hand in ${name}`, 'another file of that name is there');
        return { digest };
      }
      await files.write(`${path}.TXT`, content());
      await files.write(`${path}.sha256`, [Buffer.from(`${digest}  ${name}.TXT\n`)]);
      await files.write(`${path}.ok`, []);
      return { digest };
    },
    isReady: (company, kind, date) => files.has(`${outbox(company, kind, date)}.ok`),
    async read({ company, kind, date, digest: wanted }, take) {
      const head = incoming(company, date);
      const form = forms[kind] as unknown as OfdForm<FundRecords[typeof kind]>;
      const path = outbox(company, kind, date);
      const digest = wanted ?? (await digestBeside(files, path, (why) => new FundFileFaulty(ofdName(head, form.type), why)));
      const count = await readOfd(form, head, files.read(`${path}.TXT`, 0), digest, take);
      return { count, digest };
    },
  };
}
