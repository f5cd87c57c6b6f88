import { z } from 'zod';
import { WireDate } from '../../wire.js';
import { type BankRoute, orConflict, shape } from '../call.js';

const Code = z.string().regex(/^\d{6}$/);
const Company = z.string().regex(/^[A-Za-z0-9]{1,9}$/);
const Scaled = z.string().regex(/^-?\d{1,8}$/);
const SandboxFunds = z.strictObject({
  funds: z.array(
    z.strictObject({
      code: Code,
      company: Company,
      kind: z.enum(['money', 'other']).default('money'),
      paysIn: z.number().int().min(1).max(30).default(1),
      sells: z.boolean().default(true),
    }),
  ),
});
const SandboxQuotes = z.strictObject({
  quotes: z.array(z.strictObject({ fund: Code, date: WireDate, nav: Scaled.default('10000'), income: Scaled, yield: Scaled })),
});

const SandboxMend = z.strictObject({ company: Company, date: WireDate });

/** What a sandbox sets and reads of the fund companies. */
export const FUND_ROUTES: readonly BankRoute[] = [
  {
    method: 'PUT',
    path: /^\/sandbox\/funds$/,
    parse({ bank, body }) {
      const { funds } = shape(SandboxFunds, body);
      return { run: () => funds.forEach((fund) => void bank.funds.setFund(fund)) };
    },
  },
  {
    method: 'PUT',
    path: /^\/sandbox\/funds\/quotes$/,
    parse({ bank, body }) {
      const { quotes } = shape(SandboxQuotes, body);
      const numbers = quotes.map(({ nav, income, yield: of, ...rest }) => ({
        ...{ ...rest, nav: BigInt(nav), income: BigInt(income), yield: BigInt(of) },
      }));
      return { run: () => numbers.forEach((quote) => void bank.funds.setQuote(quote)) };
    },
  },
  {
    method: 'POST',
    path: /^\/sandbox\/funds\/mend$/,
    parse({ bank, body }) {
      const { company, date } = shape(SandboxMend, body);
      return { run: () => orConflict(bank.funds.mend(company, date) ?? {}) };
    },
  },
  { method: 'GET', path: /^\/sandbox\/funds$/, parse: ({ bank }) => ({ run: () => bank.funds.books() }) },
];
