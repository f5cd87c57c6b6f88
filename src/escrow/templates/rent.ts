/** A flat is let: a deposit, and the rent month by month. */
export const rent = {
  name: 'rent',
  version: 1,
  title: { en: 'Rent', zh: '住房租金与押金托管' },
  story: {
    en: "The tenant pays a deposit and, before each month's fifth day, the rent of that month, which the landlord gets on the seventh unless the tenant objects. A month that is not paid for ends without money, and the others go on. The deposit goes back to the tenant seven days after the end, unless the landlord objects: then the bank decides what of it is whose.",
    zh: '承租人交付押金，并于每月第五日前交付当月租金，第七日付给出租人，承租人有异议的除外。未付租金的月份自行结束，其余月份不受影响。租期届满七日后押金退还承租人，出租人有异议的由银行审核。',
  },
  roles: [
    { role: 'tenant', en: 'tenant', zh: '承租人', does: ['pays'], accepts: false },
    { role: 'landlord', en: 'landlord', zh: '出租人', does: ['receives'], accepts: false },
  ],
  amounts: [
    { name: 'rent', en: 'rent of a month', zh: '月租金' },
    { name: 'deposit', en: 'deposit', zh: '押金' },
  ],
  dates: [
    { name: 'start', en: 'first day', zh: '起租日' },
    { name: 'end', en: 'last day', zh: '租期届满日' },
  ],
  counts: [{ name: 'months', en: 'months', zh: '月数', most: 60 }],
  stages: [
    {
      key: 'deposit',
      en: 'deposit',
      zh: '押金',
      amount: { of: 'deposit', part: 'whole' },
      fundBy: { date: 'start', days: 5 },
      when: { date: 'end', days: 7 },
      pay: [{ to: 'payers', take: 'rest' }],
      otherwise: 'review',
      objects: ['landlord'],
    },
    {
      key: 'month',
      en: 'month',
      zh: '月租',
      repeat: 'months',
      amount: { of: 'rent', part: 'whole' },
      fundBy: { date: 'start', days: 5, step: 'month' },
      when: { date: 'start', days: 7, step: 'month' },
      pay: [{ to: 'landlord', take: 'rest' }],
      otherwise: 'review',
      failsAlone: true,
      objects: ['tenant'],
    },
  ],
  exits: [
    {
      key: 'both-end',
      en: 'both end it early',
      zh: '双方提前解除',
      when: { confirmed: ['tenant', 'landlord'], quorum: 2 },
      rows: [{ days: 0, pay: [{ to: 'payers', take: 'rest' }] }],
    },
  ],
};
