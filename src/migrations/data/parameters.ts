/**
 * The limits and deadlines of the law as they were shipped: name, valid from, value (fen, a count, days or months), source. Rows
 * that a bank adds later stand beside them.
 */
/** Its amounts and days are from memory. */
const N2 = '人民银行令〔2006〕第2号';
const N392 = '银发〔2015〕392号';
const N302 = '银发〔2016〕302号';
const N261 = '银发〔2016〕261号';
const N16 = '银发〔2018〕16号';
const N3 = '人民银行令〔2016〕第3号';
const R1 = '银监会令〔2016〕第1号第十七条';
const WIRE_MOST = Number.MAX_SAFE_INTEGER;

export const PARAMETERS: readonly (readonly [name: string, validFrom: string, value: number, source: string])[] = [
  ['class-2.accounts', '2016-04-01', 5, N16],
  ['class-2.out.day', '2016-04-01', 10_000_00, N302],
  ['class-2.out.year', '2016-04-01', 200_000_00, N302],
  ['class-2.in.day', '2016-04-01', 10_000_00, N302],
  ['class-2.in.year', '2016-04-01', 200_000_00, N302],
  // 1: what is lent and repaid on projects counts in the four limits above; 0: like other investments in none.
  ['class-2.lending-counted', '2016-04-01', 0, '银行自定'],
  ['class-3.accounts', '2016-04-01', 5, N16],
  ['class-3.balance', '2016-04-01', 1_000_00, N392],
  ['class-3.balance', '2018-01-12', 2_000_00, N16],
  ['class-3.out.day', '2016-04-01', 5_000_00, N302],
  ['class-3.out.day', '2018-01-12', 2_000_00, N16],
  ['class-3.out.year', '2016-04-01', 100_000_00, N302],
  ['class-3.out.year', '2018-01-12', 50_000_00, N16],
  ['class-3.in.day', '2016-04-01', 5_000_00, N302],
  ['class-3.in.day', '2018-01-12', 2_000_00, N16],
  ['class-3.in.year', '2016-04-01', 100_000_00, N302],
  ['class-3.in.year', '2018-01-12', 50_000_00, N16],
  // Two-way turnover of all of a person's Class III accounts at which a copy of the ID is asked for, and the days to bring it.
  ['class-3.turnover', '2016-04-01', 50_000_00, N16],
  ['class-3.turnover.days', '2016-04-01', 7, N16],
  // 0: day and year limits count for each account; 1: for all accounts of a class that a person has at the bank together.
  ['limits.per-customer', '2016-04-01', 0, '银行自定'],
  ['dormancy.months', '2016-04-01', 6, N261],
  // After the last valid day of an ID document its owner has so many days to bring another (the law says: a reasonable time).
  ['id-expiry.grace-days', '2007-08-01', 90, '人民银行令〔2007〕第2号第十九条'],
  // Working days after which a payment institution pays over what it collected, until it has told the date itself.
  ['psp-collect.days', '2016-04-01', 1, '银行自定'],
  // From whom sub-accounts take transfers at the most, whatever their platform says: 0 anyone, 1 the owner's bound account, 2 nobody.
  ['pay-in.floor', '2016-04-01', 0, '银行自定'],
  // 1: money may come in from others while business outside the counter is stopped.
  ['stopped.credits', '2007-08-01', 1, '银行自定'],
  ['adult.age', '1987-01-01', 18, '民法通则第十一条 / 民法典第十七条'],
  // How long a customer may take to answer on the bank's page.
  ['consent.minutes', '2016-04-01', 15, '银行自定'],
  // A collection that was not sent by then fails: its customer's yes is not for some other day.
  ['collection.hours', '2016-04-01', 24, '银行自定'],
  // Wrong codes of a customer in a natural day, over all that he is asked; messages with codes to one mobile number in a natural day, and in
  // ten minutes from the first of them on.
  ['code.wrong-per-day', '2016-04-01', 10, '银行自定'],
  ['code.sms-per-day', '2016-04-01', 20, '银行自定'],
  ['code.sms-per-ten-minutes', '2016-04-01', 5, '银行自定'],
  // How long a customer may take to think about a mandate, for how many years ahead it may be given, how many days before its end he is
  // told of that, and how long the address of his own page is good.
  ['mandate.answer-hours', '2016-04-01', 24, '银行自定'],
  ['mandate.years', '2016-04-01', 3, '银行自定'],
  ['mandate.notice-days', '2016-04-01', 7, '银行自定'],
  ['mandate.link-minutes', '2016-04-01', 30, '银行自定'],
  // Identities that may share one mobile number without an approved exception.
  ['mobile.identities', '2016-12-01', 1, N261],
  // Trial payments to a company's account: the most of one, wrong answers, hours to answer, and how many a company may ask for in a day.
  ['trial.amount', '2016-12-01', 50, '银行自定'],
  ['trial.attempts', '2016-12-01', 3, '银行自定'],
  ['trial.hours', '2016-12-01', 72, '银行自定'],
  ['trial.starts.day', '2016-12-01', 3, '银行自定'],
  // Demand interest, in millionths a year: the benchmark of the People's Bank. What the bank itself pays is a further row.
  ['interest.demand', '2008-11-27', 3600, '人民银行存款基准利率'],
  ['interest.demand', '2011-02-09', 4000, '人民银行存款基准利率'],
  ['interest.demand', '2011-04-06', 5000, '人民银行存款基准利率'],
  ['interest.demand', '2012-06-08', 4000, '人民银行存款基准利率'],
  ['interest.demand', '2012-07-06', 3500, '人民银行存款基准利率'],
  // 1: what stands on an account below a whole yuan earns interest too.
  ['interest.below-yuan', '2005-09-21', 0, '银发〔2005〕129号 / 银行自定'],
  // What others than the seller may get of an item, in basis points; hours in which one answers whether he signs an agreement or confirms
  // something of a deal; days
  // since its opening before which a sub-merchant is not settled on the day itself.
  ['split.others-cap', '2016-04-01', 3_000, '银行自定'],
  ['agreement.answer-hours', '2016-04-01', 72, '银行自定'],
  ['escrow.answer-hours', '2016-04-01', 72, '银行自定'],
  // What somebody may owe or be raising: on one platform, and on all platforms of the bank.
  ['lending.person.platform', '2016-04-01', WIRE_MOST, '此前无规定'],
  ['lending.person.platform', '2016-08-17', 200_000_00, R1],
  ['lending.person.all', '2016-04-01', WIRE_MOST, '此前无规定'],
  ['lending.person.all', '2016-08-17', 1_000_000_00, R1],
  ['lending.company.platform', '2016-04-01', WIRE_MOST, '此前无规定'],
  ['lending.company.platform', '2016-08-17', 1_000_000_00, R1],
  ['lending.company.all', '2016-04-01', WIRE_MOST, '此前无规定'],
  ['lending.company.all', '2016-08-17', 5_000_000_00, R1],
  // The most that a rate may be, in millionths a year; the later one is four times the one-year LPR of that day, from memory.
  ['lending.rate-cap', '2016-04-01', 360_000, '法释〔2015〕18号第二十六条'],
  ['lending.rate-cap', '2020-08-20', 154_000, '法释〔2020〕6号：一年期LPR四倍，银行随LPR调整'],
  // Days after the end of the raising in which a full project can still be lent out; hours to answer the question about a project.
  ['lending.lend-out.days', '2016-04-01', 3, '银行自定'],
  ['lending.answer-hours', '2016-04-01', 72, '银行自定'],
  ['same-day.days', '2016-04-01', 0, '此前无规定'],
  ['same-day.days', '2016-12-01', 90, N261],
  // Days in a row on which he traded, without which he is not either.
  ['same-day.trading', '2016-04-01', 0, '此前无规定'],
  ['same-day.trading', '2016-12-01', 30, N261],
  // Large-value reports: single or together in a natural day, these amounts included. Cash and what crosses the border do not occur here: nothing
  // evaluates those two. Working days to report.
  ['large-value.company', '2007-03-01', 2_000_000_00, N2],
  ['large-value.company', '2017-07-01', 2_000_000_00, `${N3}第五条（二）`],
  ['large-value.person', '2007-03-01', 500_000_00, N2],
  ['large-value.person', '2017-07-01', 500_000_00, `${N3}第五条（三）`],
  ['large-value.cash', '2017-07-01', 50_000_00, `${N3}第五条（一）；本系统无现金业务，不评估`],
  ['large-value.cross-border', '2017-07-01', 200_000_00, `${N3}第五条（四）；本系统无跨境业务，不评估`],
  ['large-value.days', '2007-03-01', 5, N2],
  ['large-value.days', '2017-07-01', 5, `${N3}第八条`],
  // Suspicious reports: working days after the confirmation, and from which of them on it is an alarm.
  ['suspicious.days', '2007-03-01', 10, N2],
  ['suspicious.days', '2017-07-01', 5, `${N3}第十五条；2018年第2号令改为及时，期限银行自定`],
  ['suspicious.alarm-days', '2007-03-01', 2, '银行自定'],
  // Just below the threshold (percent of it) on so many of so many days.
  ['structuring.share', '2007-03-01', 80, '银行自定'],
  ['structuring.days', '2007-03-01', 3, '银行自定'],
  ['structuring.window', '2007-03-01', 10, '银行自定'],
  // In and out of the same day: at least so much in, so many percent of it out, many lines on one side and few on the other.
  ['pass-through.amount', '2007-03-01', 200_000_00, '银行自定'],
  ['pass-through.share', '2007-03-01', 90, '银行自定'],
  ['pass-through.many', '2007-03-01', 20, '银行自定'],
  ['pass-through.few', '2007-03-01', 3, '银行自定'],
  // Nothing for so many days, then a day of so much.
  ['sleeping.days', '2007-03-01', 180, '银行自定'],
  ['sleeping.amount', '2007-03-01', 100_000_00, '银行自定'],
  // Refunds of a day: at least so much, and so many percent of what came in on it.
  ['refund-churn.amount', '2007-03-01', 100_000_00, '银行自定'],
  ['refund-churn.share', '2007-03-01', 50, '银行自定'],
  // What a customer may redeem at once of one fund in a natural day, over all his accounts; and what of the bank's own money may be advanced for
  // it on one platform and not be back.
  ['fund-redemption.fast-day', '2016-04-01', 10_000_00, '银行自定'],
  ['fund-redemption.fast-day', '2018-07-01', 10_000_00, '证监会公告〔2018〕10号'],
  ['fund-redemption.advance-ceiling', '2016-04-01', 10_000_000_00, '银行自定'],
  // Years for which records are kept after the contract's end, and after the end of the relation or transaction.
  ['retention.contract.years', '2016-08-24', 5, '网络借贷资金存管业务指引'],
  ['retention.relation.years', '2007-08-01', 5, '人民银行令〔2007〕第2号第二十九条'],
  ['retention.relation.years', '2025-01-01', 10, '反洗钱法（2024年修订）第三十四条'],
];
