/** Many pay for one thing: all of it by a date, or nothing. */
export const crowdfunding = {
  name: 'crowdfunding',
  version: 1,
  title: { en: 'Crowdfunding', zh: '众筹资金托管' },
  story: {
    en: 'Anybody may pay until the deadline. If at least the target has come in by then, all of it goes to the founder; if not, everybody gets back exactly what he paid. Who comes late is refused. The founder may stop before, and then everybody gets his money back.',
    zh: '截止日前任何人可以支持。届时达到目标金额的，全部款项付给发起人；未达到的，各支持人原额退回。逾期付款不予接受。发起人可以提前终止，款项全部退回。',
  },
  roles: [
    { role: 'backer', en: 'backer', zh: '支持人', does: ['pays', 'many'], accepts: false },
    { role: 'founder', en: 'founder', zh: '发起人', does: ['receives'], accepts: false },
  ],
  amounts: [{ name: 'target', en: 'target', zh: '目标金额' }],
  dates: [{ name: 'deadline', en: 'deadline', zh: '截止日' }],
  counts: [],
  stages: [
    {
      key: 'project',
      en: 'project',
      zh: '项目',
      amount: { of: 'target', part: 'whole', atLeast: true },
      fundBy: { date: 'deadline' },
      when: { date: 'deadline' },
      pay: [{ to: 'founder', take: 'rest' }],
      otherwise: [{ to: 'payers', take: 'rest' }],
    },
  ],
  exits: [
    {
      key: 'founder-stops',
      en: 'the founder stops',
      zh: '发起人终止',
      when: { confirmed: ['founder'] },
      rows: [{ days: 0, pay: [{ to: 'payers', take: 'rest' }] }],
    },
  ],
};
