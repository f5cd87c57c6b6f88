/** A journey is paid for before it begins; who cancels late forfeits more. */
export const travelDeposit = {
  name: 'travel-deposit',
  version: 1,
  title: { en: 'Travel deposit', zh: '旅游资金托管' },
  story: {
    en: 'The traveller pays for a journey; the agency gets the money on the day after the return, or when he confirms it earlier, unless he objects. If he cancels, the agency keeps the more the later he does it: nothing up to seven days before the departure, then 20 %, 40 % from three days before, 60 % on the day of the departure or later. If the agency cancels, all goes back.',
    zh: '旅游者支付团费，行程结束次日或旅游者提前确认后付给旅行社，旅游者有异议的除外。旅游者取消的：行前七日及以上全额退还，七日以内扣20%，三日以内扣40%，出发当日及以后扣60%。旅行社取消的全额退还。',
  },
  roles: [
    { role: 'traveller', en: 'traveller', zh: '旅游者', does: ['pays'], accepts: false },
    { role: 'agency', en: 'travel agency', zh: '旅行社', does: ['receives'], accepts: false },
  ],
  amounts: [{ name: 'price', en: 'price of the journey', zh: '团费' }],
  dates: [
    { name: 'pay-by', en: 'all is paid in before', zh: '付款截止日' },
    { name: 'departure', en: 'departure', zh: '出发日' },
    { name: 'return', en: 'return', zh: '返回日' },
  ],
  counts: [],
  stages: [
    {
      key: 'journey',
      en: 'journey',
      zh: '行程',
      amount: { of: 'price', part: 'whole' },
      fundBy: { date: 'pay-by' },
      when: { any: [{ confirmed: ['traveller'] }, { date: 'return', days: 1 }] },
      pay: [{ to: 'agency', take: 'rest' }],
      otherwise: 'review',
      objects: ['traveller'],
    },
  ],
  exits: [
    {
      key: 'traveller-cancels',
      en: 'the traveller cancels',
      zh: '旅游者取消',
      when: { confirmed: ['traveller'] },
      before: 'departure',
      rows: [
        { days: 7, pay: [{ to: 'payers', take: 'rest' }] },
        {
          days: 4,
          pay: [
            { to: 'agency', take: { percent: 2_000 } },
            { to: 'payers', take: 'rest' },
          ],
        },
        {
          days: 1,
          pay: [
            { to: 'agency', take: { percent: 4_000 } },
            { to: 'payers', take: 'rest' },
          ],
        },
        {
          days: -3650,
          pay: [
            { to: 'agency', take: { percent: 6_000 } },
            { to: 'payers', take: 'rest' },
          ],
        },
      ],
    },
    {
      key: 'agency-cancels',
      en: 'the agency cancels',
      zh: '旅行社取消',
      when: { confirmed: ['agency'] },
      rows: [{ days: 0, pay: [{ to: 'payers', take: 'rest' }] }],
    },
  ],
};
