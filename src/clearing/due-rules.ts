import { addDays, type BusinessDate } from '../kernel/index.js';
import type { DueLine } from './due-store.js';

/** The request number of a line of the clearing that pays on a date. */
export function requestNoOf({ accountId, creditedOn }: Pick<DueLine, 'accountId' | 'creditedOn'>, date: BusinessDate): string {
  const no = `clearing:${date}:${accountId}`;
  return creditedOn === addDays(date, -1) ? no : `${no}:${creditedOn}`;
}
