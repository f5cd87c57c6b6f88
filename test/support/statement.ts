import type { Channels, Statement } from '../../src/channels/index.js';
import type { StatementLine } from '../../src/channels/wire.js';
import type { BusinessDate } from '../../src/kernel/index.js';

/** A statement with all its lines at once. */
export async function wholeStatement(
  { coreBank }: Pick<Channels, 'coreBank'>,
  custodyNo: string,
  date: BusinessDate,
): Promise<Statement & { readonly lines: readonly StatementLine[] }> {
  const lines: StatementLine[] = [];
  const head = await coreBank.statement(custodyNo, date, (some) => void lines.push(...some));
  return { ...head, lines };
}
