import { type BusinessDate, parseDateDigits, startOfDay } from '../../../kernel/index.js';
import { type FileTree, fileOfBytes, type ReceivedFile } from '../../../runtime/index.js';
import { FundFileFaulty } from '../../funds/index.js';
import type { Bank } from '../bank.js';
import type { CallPoint } from '../faults.js';

/** Who comes to the exchange of fund files. */
export const FUNDS_USER = 'funds';

const FOLDER = /^\/([A-Za-z0-9]{1,9})(?:\/(inbox|outbox))?$/;
const BYTES_MAX = 64 * 1024 * 1024;

/**
 * The folders of the fund companies: `/<company>/inbox` takes orders, in `/<company>/outbox` lie its files. Whoever asks for the file of a date names
 * that date to the bank, as an order does.
 * @param befall does what the faults of a call are; answers whether what is read is to be garbled
 */
export function fundTree(bank: Bank, befall: (point: CallPoint) => Promise<boolean>): FileTree {
  const look = async (path: string) => {
    const [, code, date = ''] = OUTBOX.exec(path) ?? [];
    const asked = parseDateDigits(date);
    if (code !== undefined && asked !== undefined) {
      bank.nameDate(asked);
      await bank.funds.makeTo(code, bank.date !== undefined && bank.date < asked ? bank.date : asked);
    }
    return bank.funds.fileAt(path, bank.date);
  };
  return {
    async look(path) {
      if (path === '/' || FOLDER.test(path)) return { isFolder: true };
      await befall({ scope: 'funds', on: 'news', keys: [path] });
      const bytes = await look(path);
      return bytes && { isFolder: false, bytes: bytes.length, changed: changedAt(bank.date) };
    },
    async list(path) {
      if (path === '/') return bank.funds.companies().map(({ code }) => ({ name: code, isFolder: true }));
      const [, code, box] = FOLDER.exec(path) ?? [];
      if (code === undefined) return undefined;
      if (box === undefined) return ['inbox', 'outbox'].map((name) => ({ name, isFolder: true }));
      return bank.funds.namesIn(path, bank.date).map((name) => ({ name, isFolder: false }));
    },
    async open(path) {
      const isGarbled = await befall({ scope: 'funds', on: 'query', keys: [path] });
      const bytes = await look(path);
      return bytes && fileOfBytes(isGarbled ? (bytes.map((byte, at) => (at % 97 === 7 ? byte ^ 0x15 : byte)) as Buffer) : bytes);
    },
    receive: (path) => (bank.funds.takes(path) ? receiving(bank, path, befall) : undefined),
  };
}

const OUTBOX = /^\/([A-Za-z0-9]{1,9})\/outbox\/OFD_[A-Za-z0-9]{1,9}_[A-Za-z0-9]{1,9}_(\d{8})_\d{2}\.(?:TXT|sha256|ok)$/;

function receiving(bank: Bank, path: string, befall: (point: CallPoint) => Promise<boolean>): ReceivedFile {
  let bytes: Buffer = Buffer.alloc(0);
  return {
    write(at, chunk) {
      if (at + chunk.length > BYTES_MAX) throw new FundFileFaulty(path, 'it is too long');
      if (at + chunk.length > bytes.length) bytes = Buffer.concat([bytes, Buffer.alloc(at + chunk.length - bytes.length)]);
      chunk.copy(bytes, at);
    },
    async close() {
      await befall({ scope: 'funds', on: 'submit', keys: [path] });
      await bank.funds.receive(path, bytes);
    },
  };
}

function changedAt(date: BusinessDate | undefined): number {
  return date === undefined ? 0 : Math.floor(startOfDay(date) / 1_000);
}
