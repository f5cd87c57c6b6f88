/** Two companies trade in bulk; the money goes from one virtual account to the other as the goods do. */
export const commodityTrade = {
  name: 'commodity-trade',
  version: 1,
  title: { en: 'Bulk commodity trade', zh: '大宗商品交易资金托管' },
  story: {
    en: 'The buying company pays out of its virtual account, after both companies have agreed to the deal. Nine tenths go to the seller when two of buyer, seller and warehouse confirm that the goods were handed over; the last tenth fifteen days later, or when the buyer confirms the quality, unless he objects. What is not handed over in time the bank decides.',
    zh: '买卖双方确认交易后，买方企业以其虚拟子账户付款。买方、卖方、仓库三方中两方确认货权转移后，释放90%给卖方；十五日后或买方确认质量后释放余款，买方有异议的除外。逾期未交收的由银行审核。',
  },
  roles: [
    { role: 'buyer', en: 'buying company', zh: '买方企业', does: ['pays'], accepts: true },
    { role: 'seller', en: 'selling company', zh: '卖方企业', does: ['receives'], accepts: true },
    { role: 'warehouse', en: 'warehouse', zh: '交割仓库', does: [], accepts: false },
  ],
  amounts: [{ name: 'price', en: 'price of the goods', zh: '货款' }],
  dates: [
    { name: 'pay-by', en: 'all is paid in before', zh: '付款截止日' },
    { name: 'deliver-by', en: 'the goods are handed over before', zh: '交收截止日' },
  ],
  counts: [],
  stages: [
    {
      key: 'goods',
      en: 'handover of the goods',
      zh: '货权转移',
      amount: { of: 'price', part: { percent: 9_000 } },
      fundBy: { date: 'pay-by' },
      when: { confirmed: ['buyer', 'seller', 'warehouse'], quorum: 2 },
      by: { date: 'deliver-by' },
      pay: [{ to: 'seller', take: 'rest' }],
      otherwise: 'review',
    },
    {
      key: 'quality',
      en: 'quality of the goods',
      zh: '质量验收',
      amount: { of: 'price', part: 'rest' },
      fundBy: { date: 'pay-by' },
      after: 'goods',
      when: { any: [{ confirmed: ['buyer'] }, { since: 'open', days: 15 }] },
      pay: [{ to: 'seller', take: 'rest' }],
      otherwise: 'review',
      objects: ['buyer'],
    },
  ],
  exits: [
    {
      key: 'both-cancel',
      en: 'both cancel',
      zh: '双方协商解除',
      when: { confirmed: ['buyer', 'seller'], quorum: 2 },
      rows: [{ days: 0, pay: [{ to: 'payers', take: 'rest' }] }],
    },
  ],
};
