import { addMonths, type BusinessDate } from '../kernel/index.js';
import type { Parameters } from './rules.js';

/** When the things ended on whose end it depends how long a record is kept. */
export interface Ends {
  /** The last day of the contract that the record belongs to; null: it goes on; undefined: there is none. */
  readonly contract?: BusinessDate | null | undefined;
  /** The end of the relation with the customer, or the day of the transaction; null: it goes on. */
  readonly relation: BusinessDate | null;
}

/** The last day on which a record has to be kept, or `open`: what it belongs to goes on. */
export type Kept = { readonly until: BusinessDate; readonly by: 'contract' | 'relation' } | 'open';

/**
 * Until when a record is kept: the later of the end of the contract plus five years and the end of the relation or transaction plus ten, by the
 * years that the law in force on `today` asks for. Sources: 网络借贷资金存管业务指引; 反洗钱法（2024年修订）第三十四条.
 */
export function keepUntil({ contract, relation }: Ends, today: BusinessDate, parameters: Parameters): Kept {
  if (relation === null || contract === null) return 'open';
  const after = (end: BusinessDate, name: string) => addMonths(end, 12 * Number(parameters.on(today, name)));
  const byRelation = after(relation, 'retention.relation.years');
  if (contract === undefined) return { until: byRelation, by: 'relation' };
  const byContract = after(contract, 'retention.contract.years');
  return byContract > byRelation ? { until: byContract, by: 'contract' } : { until: byRelation, by: 'relation' };
}

/** Whether a record may be deleted on a day: not before the day after the last on which it is kept. */
export function mayBeDeleted(kept: Kept, today: BusinessDate): boolean {
  return kept !== 'open' && kept.until < today;
}
