/**
 * The terms of channels as they were shipped: channel, valid from, terms, source. Amounts are fen, times Asia/Shanghai. Rows that a bank adds
 * later stand beside them. What no public document says is a figure of the bank's own contract (银行自定) and meant to be replaced.
 *
 * The limit of BEPS and IBPS is the strict one, 50,000.00 on every day. From 2020-01-24 BEPS took 1,000,000.00 (PBoC notice, raised to
 * 5亿 until 2020-01-30); to use it, or the 500,000.00 of days off (from 2015-07-11), a bank adds a row of its own from a day on. It is not active here.
 */
const SELF = '银行自定';
const GUIDE = '发改价格〔2014〕268号';
const CUT = '银发〔2021〕169号';

const ALWAYS = { open: 'always' };
const NO_MAXIMUM = { min: 1, max: null };
const UP_TO_50_000 = { min: 1, max: 50_000_00 };
const onAllDays = (limit: object) => ({ working: limit, off: limit });

const book = {
  reach: { payees: 'own-bank' },
  hours: ALWAYS,
  rounds: [],
  arrives: 0,
  limits: onAllDays(NO_MAXIMUM),
  price: [{ upTo: null, fee: 0 }],
  capacity: null,
};

// The guide price of a corporate transfer, which the bank reckons its large-value payments at.
const hvps = (hours: object) => ({
  reach: { payees: 'other-banks' },
  hours: { open: 'working-days', ...hours },
  rounds: [],
  arrives: 120,
  limits: onAllDays(NO_MAXIMUM),
  price: [
    { upTo: 10_000_00, fee: 5_00 },
    { upTo: 100_000_00, fee: 10_00 },
    { upTo: 500_000_00, fee: 15_00 },
    { upTo: 1_000_000_00, fee: 20_00 },
    { upTo: null, fee: 0, perMillion: 20, most: 200_00 },
  ],
  capacity: null,
});

const NETTING = ['00:30', '08:30', '10:30', '12:30', '14:30', '16:00', '18:30', '21:00'];

const beps = (fee: number) => ({
  reach: { payees: 'other-banks' },
  hours: ALWAYS,
  rounds: NETTING,
  arrives: 1_800,
  limits: onAllDays(UP_TO_50_000),
  price: [{ upTo: null, fee }],
  capacity: null,
});

const ibps = (fee: number) => ({
  reach: { payees: 'other-banks' },
  hours: ALWAYS,
  rounds: [],
  arrives: 60,
  limits: onAllDays(UP_TO_50_000),
  price: [{ upTo: null, fee }],
  capacity: null,
});

const unionpay = {
  reach: { payees: 'other-banks' },
  hours: ALWAYS,
  rounds: [],
  arrives: 60,
  limits: onAllDays(UP_TO_50_000),
  price: [{ upTo: null, fee: 1_00 }],
  capacity: 200_000,
};

const psp = {
  reach: { payees: 'other-banks' },
  hours: ALWAYS,
  rounds: [],
  arrives: 300,
  limits: onAllDays(UP_TO_50_000),
  price: [{ upTo: null, fee: 0, perMillion: 600, least: 80, most: 10_00 }],
  capacity: 100_000,
};

// What a card gives is bounded by its own bank; the contract bounds nothing more.
const collecting = (share: number, arrives: number) => ({
  reach: { payees: 'any' },
  hours: ALWAYS,
  rounds: [],
  arrives,
  limits: onAllDays(NO_MAXIMUM),
  price: [{ upTo: null, fee: 0, perMillion: share, least: 20 }],
  capacity: null,
});

export const CHANNEL_TERMS: readonly (readonly [channel: string, validFrom: string, terms: object, source: string])[] = [
  ['book', '2016-04-01', book, SELF],
  ['hvps', '2016-04-01', hvps({ from: '08:30', fromDay: 'same-day', to: '17:00' }), `人民银行大额支付系统原营业时间(未见原文); ${GUIDE}`],
  ['hvps', '2018-01-22', hvps({ from: '23:30', fromDay: 'day-before', to: '17:15' }), `人民银行办公厅通知(2018-01-22起); ${GUIDE}`],
  ['hvps', '2018-05-02', hvps({ from: '20:30', fromDay: 'day-before', to: '17:15' }), `人民银行办公厅通知(2018-05-02起); ${GUIDE}`],
  [
    'hvps',
    '2026-01-01',
    { ...hvps({ from: '20:30', fromDay: 'day-before', to: '17:15' }), margin: 60 },
    `人民银行办公厅通知(2018-05-02起); ${GUIDE}; 截止前60秒不再发送, ${SELF}`,
  ],
  ['beps', '2016-04-01', beps(50), `限额5万(从严); 费用、场次${SELF}`],
  ['beps', '2021-09-30', beps(45), `${CUT} 十万元以下九折; 限额5万(从严); 费用、场次${SELF}`],
  ['ibps', '2016-04-01', ibps(60), `网银互联限额5万(2016年起实时转发); 费用${SELF}`],
  ['ibps', '2021-09-30', ibps(54), `${CUT} 十万元以下九折; 网银互联限额5万; 费用${SELF}`],
  ['unionpay', '2016-04-01', unionpay, `银联代付协议, ${SELF}`],
  ['psp', '2016-04-01', psp, `支付机构协议, ${SELF}`],
  ['collect', '2016-04-01', collecting(1_500, 60), `银联代收协议, ${SELF}`],
  ['psp-collect', '2016-04-01', collecting(2_000, 60), `支付机构协议, ${SELF}`],
];
