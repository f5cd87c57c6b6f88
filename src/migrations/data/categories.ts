/** Goods as the bank sorts them: what it takes, and what must be shown before their money is split. A bank changes them by dated rows. */
export const CATEGORIES = [
  { code: 'goods', zh: '实物商品', en: 'physical goods', allowed: true, evidence: 'none' },
  { code: 'goods-shipped', zh: '实物商品（须物流凭证）', en: 'physical goods, shipping shown', allowed: true, evidence: 'logistics' },
  { code: 'food', zh: '餐饮食品', en: 'food', allowed: true, evidence: 'none' },
  { code: 'service', zh: '生活服务', en: 'services', allowed: true, evidence: 'service' },
  { code: 'travel', zh: '旅游住宿', en: 'travel and lodging', allowed: true, evidence: 'service' },
  { code: 'education', zh: '教育培训', en: 'education and training', allowed: true, evidence: 'service' },
  { code: 'virtual', zh: '虚拟商品', en: 'virtual goods', allowed: true, evidence: 'none' },
  { code: 'lottery', zh: '彩票博彩', en: 'lotteries and gambling', allowed: false, evidence: 'none' },
  { code: 'tobacco', zh: '烟草', en: 'tobacco', allowed: false, evidence: 'none' },
  { code: 'crypto', zh: '虚拟货币', en: 'virtual currencies', allowed: false, evidence: 'none' },
  { code: 'weapons', zh: '枪支弹药', en: 'weapons and ammunition', allowed: false, evidence: 'none' },
  { code: 'drugs', zh: '处方药品', en: 'prescription drugs', allowed: false, evidence: 'none' },
] as const;
