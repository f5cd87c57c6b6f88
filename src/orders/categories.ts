import type { BusinessDate } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { sql } from '../runtime/index.js';

/** What the bank wants of a sort of goods from a date on. */
export interface Category {
  readonly code: string;
  readonly validFrom: BusinessDate;
  readonly zh: string;
  readonly en: string;
  readonly allowed: boolean;
  /** What must be shown before the money of such goods is split. */
  readonly evidence: 'none' | 'logistics' | 'service';
}

interface CategoryRow {
  code: string;
  valid_from: BusinessDate;
  zh: string;
  en: string;
  allowed: number;
  evidence: Category['evidence'];
}

/** The dated rows of a category, the latest first, by its code. */
export const categoryRecords: RecordType<readonly Category[]> = {
  name: 'goods-category',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<CategoryRow>(
      `SELECT * FROM goods_categories WHERE code IN (${keys.map(sql.text).join()}) ORDER BY code, valid_from DESC`,
    );
    const found = new Map<string, Category[]>();
    for (const { valid_from: validFrom, allowed, ...row } of rows) {
      const category = { ...row, validFrom, allowed: Number(allowed) === 1 };
      const rowsOfCode = found.get(row.code);
      if (rowsOfCode === undefined) found.set(row.code, [category]);
      else rowsOfCode.push(category);
    }
    return found;
  },
  saving: () => {
    throw new Error('no instruction changes a category');
  },
};

/** What the bank wants of it on a day; undefined where it knows no such goods then. */
export function categoryOn(rows: readonly Category[] | undefined, date: BusinessDate): Category | undefined {
  return rows?.find(({ validFrom }) => validFrom <= date);
}
