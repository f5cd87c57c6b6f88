/** A house is bought through an agent: the money waits for the title, a part of it for the keys. */
export const housingDeposit = {
  name: 'housing-deposit',
  version: 1,
  title: { en: 'Housing deposit', zh: '二手房交易资金托管' },
  story: {
    en: 'The buyer pays the whole price in before the title is transferred. When two of buyer, seller and agent say that it was, and the bank has seen the certificate, or buyer and seller both say it, nineteen parts in twenty are let go: the agent gets his fee, the seller the rest. The last part waits for the keys: until the buyer confirms them, or thirty days pass and he does not object. A buyer who withdraws forfeits the earnest money.',
    zh: '买方在过户前将房款存入。买卖双方确认过户，或买方、卖方、中介中两方确认并经银行审核权属证书后，释放95%：中介取得佣金，余款归卖方。余下5%在交房后释放：买方确认，或届满三十日无异议。买方反悔的，定金归卖方。',
  },
  roles: [
    { role: 'buyer', en: 'buyer', zh: '买方', does: ['pays'], accepts: true },
    { role: 'seller', en: 'seller', zh: '卖方', does: ['receives'], accepts: true },
    { role: 'agent', en: 'agent', zh: '中介', does: ['receives'], accepts: false },
  ],
  amounts: [
    { name: 'price', en: 'price', zh: '房款' },
    { name: 'fee', en: "agent's fee", zh: '中介佣金' },
    { name: 'earnest', en: 'earnest money', zh: '定金' },
  ],
  dates: [
    { name: 'pay-by', en: 'all is paid in before', zh: '存入截止日' },
    { name: 'title-by', en: 'the title is transferred before', zh: '过户截止日' },
    { name: 'keys-by', en: 'the keys are handed over before', zh: '交房截止日' },
  ],
  counts: [],
  stages: [
    {
      key: 'title',
      en: 'transfer of the title',
      zh: '产权过户',
      amount: { of: 'price', part: { percent: 9_500 } },
      fundBy: { date: 'pay-by' },
      when: {
        any: [
          { confirmed: ['buyer', 'seller'], quorum: 2 },
          { all: [{ confirmed: ['buyer', 'seller', 'agent'], quorum: 2 }, { review: true }] },
        ],
      },
      by: { date: 'title-by' },
      pay: [
        { to: 'agent', take: { fixed: 'fee' } },
        { to: 'seller', take: 'rest' },
      ],
      otherwise: 'review',
    },
    {
      key: 'keys',
      en: 'handover of the keys',
      zh: '交房',
      amount: { of: 'price', part: 'rest' },
      fundBy: { date: 'pay-by' },
      after: 'title',
      when: { any: [{ confirmed: ['buyer'] }, { since: 'open', days: 30 }] },
      by: { date: 'keys-by' },
      pay: [{ to: 'seller', take: 'rest' }],
      otherwise: 'review',
      objects: ['buyer'],
    },
  ],
  exits: [
    {
      key: 'buyer-withdraws',
      en: 'the buyer withdraws',
      zh: '买方反悔',
      when: { confirmed: ['buyer'] },
      rows: [
        {
          days: 0,
          pay: [
            { to: 'seller', take: { fixed: 'earnest' } },
            { to: 'payers', take: 'rest' },
          ],
        },
      ],
    },
    {
      key: 'seller-withdraws',
      en: 'the seller withdraws',
      zh: '卖方反悔',
      when: { confirmed: ['seller'] },
      rows: [{ days: 0, pay: [{ to: 'payers', take: 'rest' }] }],
    },
  ],
};
