import { type BusinessDate, type Minor, parseDateDigits } from '../../kernel/index.js';
import type { OfdField, OfdForm } from './ofd.js';

/** Amounts are fen, units hundredths of a unit; a net asset value is ten-thousandths of a yuan. */
export type FundUnits = bigint;

/** What a customer of ours asks a fund for. */
export type FundBusiness = 'subscription' | 'redemption' | 'fast-redemption';

/** An order that goes out (交易申请, file 03). */
export interface FundApplication {
  /** Ours, at most 24 characters. */
  readonly orderNo: string;
  readonly fund: string;
  readonly business: FundBusiness;
  /** The trading day (T) that it counts for. */
  readonly tradeDate: BusinessDate;
  /** `HHMMSS` at which it was given. */
  readonly time: string;
  /** The customer's number at us (交易账号), at most 17 characters. */
  readonly account: string;
  /** Of a subscription, else 0. */
  readonly amount: Minor;
  /** Of a redemption, else 0. */
  readonly units: FundUnits;
  /** Where the fund pays what it owes for it, at most 32 characters. */
  readonly depositAccount: string;
}

/** What became of an order (交易确认, file 04). */
export interface FundConfirmation {
  readonly orderNo: string;
  readonly fund: string;
  readonly business: FundBusiness;
  readonly tradeDate: BusinessDate;
  readonly confirmDate: BusinessDate;
  readonly account: string;
  /** `0000`: done. */
  readonly returnCode: string;
  readonly amount: Minor;
  readonly units: FundUnits;
  readonly nav: bigint;
  /** The company's own number of it. */
  readonly serialNo: string;
  /** Why not, or ''. */
  readonly reason: string;
}

/** What a customer has in a fund by the company's books (份额对账, file 05). */
export interface FundHolding {
  readonly account: string;
  readonly fund: string;
  readonly date: BusinessDate;
  readonly units: FundUnits;
}

/** What the units of a customer earned on a day and were given in units (红利再投资, file 06). */
export interface FundDividend {
  readonly account: string;
  readonly fund: string;
  /** The day whose income it is. */
  readonly date: BusinessDate;
  /** The units that earned it. */
  readonly basis: FundUnits;
  readonly units: FundUnits;
  readonly serialNo: string;
}

/** What a fund was worth on a day (基金行情, file 07). */
export interface FundQuote {
  readonly fund: string;
  readonly date: BusinessDate;
  readonly nav: bigint;
  /** Of 10,000 units (万份收益), in ten-thousandths of a yuan; below zero is possible. */
  readonly income: bigint;
  /** Of the last seven days as a yearly rate (七日年化收益率), in thousandths of a percent. */
  readonly yield: bigint;
}

const DONE = '0000';
/** Ours ask with 0…, theirs answer with 1…. */
const BUSINESS = { subscription: '22', redemption: '24', 'fast-redemption': '98' } as const satisfies Record<
  FundBusiness,
  string
>;

const text = (name: string, bytes: number): OfdField => ({ name, bytes, kind: 'text' });
const digits = (name: string, bytes: number): OfdField => ({ name, bytes, kind: 'digits' });
const AMOUNT_BYTES = 16;

const FUND = text('FundCode', 6);
const ACCOUNT = text('TransactionAccountID', 17);
const ORDER = text('AppSheetSerialNo', 24);
const BUSINESS_CODE = digits('BusinessCode', 3);
const SERIAL = text('TASerialNO', 20);
const DISTRIBUTOR = text('DistributorCode', 9);

const toDate = (date: BusinessDate) => date.replaceAll('-', '');
const dateOf = (value = '') => parseDateDigits(value);
const businessOf = (code: string | undefined, lead: '0' | '1') =>
  (Object.keys(BUSINESS) as FundBusiness[]).find((each) => `${lead}${BUSINESS[each]}` === code);

/** The forms of the files, for orders of one distributor. A file of another one cannot be read. */
export function fundForms(distributor: string) {
  const ours = { DistributorCode: distributor };
  const isOurs = (values: Readonly<Record<string, string>>) => values.DistributorCode === distributor;
  return {
    applications: applicationForm(ours, isOurs),
    confirmations: confirmationForm(ours, isOurs),
    holdings: holdingForm(ours, isOurs),
    dividends: dividendForm(ours, isOurs),
    quotes: quoteForm,
  } as const;
}

export type FundFileKind = 'confirmations' | 'holdings' | 'dividends' | 'quotes';
export interface FundRecords {
  readonly confirmations: FundConfirmation;
  readonly holdings: FundHolding;
  readonly dividends: FundDividend;
  readonly quotes: FundQuote;
}

export function isDone({ returnCode }: Pick<FundConfirmation, 'returnCode'>): boolean {
  return returnCode === DONE;
}

type Values = Readonly<Record<string, string>>;
type IsOurs = (values: Values) => boolean;

function applicationForm(ours: Values, isOurs: IsOurs): OfdForm<FundApplication> {
  return {
    type: '03',
    fields: [
      ...[ORDER, FUND, digits('TransactionDate', 8), digits('TransactionTime', 6), ACCOUNT, DISTRIBUTOR, BUSINESS_CODE],
      ...[digits('ApplicationAmount', AMOUNT_BYTES), digits('ApplicationVol', AMOUNT_BYTES), text('CurrencyType', 3)],
      text('DepositAcct', 32),
    ],
    valuesOf: (of) => ({
      ...{ ...ours, AppSheetSerialNo: of.orderNo, FundCode: of.fund, TransactionDate: toDate(of.tradeDate) },
      ...{ TransactionTime: of.time, TransactionAccountID: of.account, BusinessCode: `0${BUSINESS[of.business]}` },
      ...{ ApplicationAmount: String(of.amount), ApplicationVol: String(of.units), CurrencyType: '156' },
      DepositAcct: of.depositAccount,
    }),
    recordOf(values) {
      const tradeDate = dateOf(values.TransactionDate);
      const business = businessOf(values.BusinessCode, '0');
      if (tradeDate === undefined || business === undefined || !isOurs(values) || values.CurrencyType !== '156') return undefined;
      const { AppSheetSerialNo: orderNo = '', FundCode: fund = '', TransactionTime: time = '', DepositAcct = '' } = values;
      const [amount, units] = [BigInt(values.ApplicationAmount ?? ''), BigInt(values.ApplicationVol ?? '')];
      if (orderNo === '' || !isFund(fund) || (business === 'subscription' ? amount : units) === 0n) return undefined;
      const account = values.TransactionAccountID ?? '';
      return { ...{ orderNo, fund, business, tradeDate, time, account, amount, units }, depositAccount: DepositAcct };
    },
  };
}

function confirmationForm(ours: Values, isOurs: IsOurs): OfdForm<FundConfirmation> {
  return {
    type: '04',
    fields: [
      ...[ORDER, digits('TransactionCfmDate', 8), FUND, digits('TransactionDate', 8), ACCOUNT, DISTRIBUTOR, BUSINESS_CODE],
      ...[digits('ReturnCode', 4), digits('ConfirmedAmount', AMOUNT_BYTES), digits('ConfirmedVol', AMOUNT_BYTES)],
      ...[digits('NAV', 7), SERIAL, text('Specification', 60)],
    ],
    valuesOf: (of) => ({
      ...{ ...ours, AppSheetSerialNo: of.orderNo, FundCode: of.fund, TransactionDate: toDate(of.tradeDate) },
      ...{ TransactionCfmDate: toDate(of.confirmDate), TransactionAccountID: of.account, ReturnCode: of.returnCode },
      ...{ BusinessCode: `1${BUSINESS[of.business]}`, ConfirmedAmount: String(of.amount), ConfirmedVol: String(of.units) },
      ...{ NAV: String(of.nav), TASerialNO: of.serialNo, Specification: of.reason },
    }),
    recordOf(values) {
      const [tradeDate, confirmDate] = [dateOf(values.TransactionDate), dateOf(values.TransactionCfmDate)];
      const business = businessOf(values.BusinessCode, '1');
      if (tradeDate === undefined || confirmDate === undefined || business === undefined || !isOurs(values)) return undefined;
      const { AppSheetSerialNo: orderNo = '', FundCode: fund = '', ReturnCode: returnCode = '', TASerialNO = '' } = values;
      if (orderNo === '' || !isFund(fund)) return undefined;
      const [amount, units, nav] = [values.ConfirmedAmount, values.ConfirmedVol, values.NAV].map((each = '') => BigInt(each));
      return {
        ...{ orderNo, fund, business, tradeDate, confirmDate, account: values.TransactionAccountID ?? '', returnCode },
        ...{ amount: amount ?? 0n, units: units ?? 0n, nav: nav ?? 0n, serialNo: TASerialNO, reason: values.Specification ?? '' },
      };
    },
  };
}

function holdingForm(ours: Values, isOurs: IsOurs): OfdForm<FundHolding> {
  return {
    type: '05',
    fields: [ACCOUNT, FUND, DISTRIBUTOR, digits('TransactionCfmDate', 8), digits('TotalVolOfDistributorInTA', AMOUNT_BYTES)],
    valuesOf: (of) => ({
      ...{ ...ours, TransactionAccountID: of.account, FundCode: of.fund, TransactionCfmDate: toDate(of.date) },
      TotalVolOfDistributorInTA: String(of.units),
    }),
    recordOf(values) {
      const date = dateOf(values.TransactionCfmDate);
      const { TransactionAccountID: account = '', FundCode: fund = '' } = values;
      if (date === undefined || !isOurs(values) || account === '' || !isFund(fund)) return undefined;
      return { account, fund, date, units: BigInt(values.TotalVolOfDistributorInTA ?? '') };
    },
  };
}

function dividendForm(ours: Values, isOurs: IsOurs): OfdForm<FundDividend> {
  return {
    type: '06',
    fields: [
      ...[ACCOUNT, FUND, DISTRIBUTOR, digits('RegistrationDate', 8), digits('BasisforCalculatingDividend', AMOUNT_BYTES)],
      ...[digits('VolOfDividendforReinvestment', AMOUNT_BYTES), text('DefDividendMethod', 1), SERIAL],
    ],
    valuesOf: (of) => ({
      ...{ ...ours, TransactionAccountID: of.account, FundCode: of.fund, RegistrationDate: toDate(of.date) },
      ...{ BasisforCalculatingDividend: String(of.basis), VolOfDividendforReinvestment: String(of.units) },
      ...{ DefDividendMethod: '0', TASerialNO: of.serialNo },
    }),
    recordOf(values) {
      const date = dateOf(values.RegistrationDate);
      const { TransactionAccountID: account = '', FundCode: fund = '', TASerialNO: serialNo = '' } = values;
      // What is not reinvested would be money, and no fund of ours pays any.
      if (values.DefDividendMethod !== '0') return undefined;
      if (date === undefined || !isOurs(values) || account === '' || !isFund(fund)) return undefined;
      const [basis, units] = [values.BasisforCalculatingDividend, values.VolOfDividendforReinvestment].map((each = '') =>
        BigInt(each),
      );
      return { account, fund, date, basis: basis ?? 0n, units: units ?? 0n, serialNo };
    },
  };
}

/** Incomes and yields have five decimals and their sign beside them; a yield is a fraction of one. */
const quoteForm: OfdForm<FundQuote> = {
  type: '07',
  fields: [
    ...[FUND, digits('UpdateDate', 8), digits('NAV', 7), digits('FundIncome', 8), digits('FundIncomeFlag', 1)],
    ...[digits('Yield', 8), digits('YieldFlag', 1)],
  ],
  valuesOf: (of) => ({
    ...{ FundCode: of.fund, UpdateDate: toDate(of.date), NAV: String(of.nav) },
    ...{ FundIncome: String(magnitude(of.income) * 10n), FundIncomeFlag: of.income < 0n ? '1' : '0' },
    ...{ Yield: String(magnitude(of.yield)), YieldFlag: of.yield < 0n ? '1' : '0' },
  }),
  recordOf(values) {
    const date = dateOf(values.UpdateDate);
    const fund = values.FundCode ?? '';
    const nav = BigInt(values.NAV ?? '');
    const income = signed(values.FundIncome, values.FundIncomeFlag);
    const of = signed(values.Yield, values.YieldFlag);
    if (date === undefined || !isFund(fund) || nav === 0n || income === undefined || of === undefined) return undefined;
    // The fifth decimal of an income is not one that funds publish; cutting it here would be a decision of ours.
    return income % 10n === 0n ? { fund, date, nav, income: income / 10n, yield: of } : undefined;
  },
};

const isFund = (code: string) => /^\d{6}$/.test(code);
const magnitude = (value: bigint) => (value < 0n ? -value : value);

function signed(value = '', flag = ''): bigint | undefined {
  if (flag !== '0' && flag !== '1') return undefined;
  return flag === '1' ? -BigInt(value) : BigInt(value);
}
