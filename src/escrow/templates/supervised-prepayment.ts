/** A course is paid for in advance, and let go lesson by lesson. */
export const supervisedPrepayment = {
  name: 'supervised-prepayment',
  version: 1,
  title: { en: 'Supervised prepayment', zh: '预付费资金监管' },
  story: {
    en: 'The student pays for all lessons at once. The school gets each lesson when the student confirms it, or three days after the school said that it was given, unless he objects. The fen that do not divide are in the last lesson. When the student stops, or the bank finds that the school has, what was not given goes back.',
    zh: '学员一次性预付全部课时费。每课时由学员确认后释放给机构，或机构报课三日内学员无异议后释放。除不尽的分计入最后一课时。学员退课，或经银行核实机构停业的，未消课款项退回学员。',
  },
  roles: [
    { role: 'student', en: 'student', zh: '学员', does: ['pays'], accepts: false },
    { role: 'school', en: 'school', zh: '培训机构', does: ['receives'], accepts: false },
  ],
  amounts: [{ name: 'price', en: 'price of the course', zh: '课程费' }],
  dates: [
    { name: 'pay-by', en: 'all is paid in before', zh: '付款截止日' },
    { name: 'end', en: 'the course ends before', zh: '课程有效期止' },
  ],
  counts: [{ name: 'lessons', en: 'lessons', zh: '课时数', most: 100 }],
  stages: [
    {
      key: 'lesson',
      en: 'lesson',
      zh: '课时',
      repeat: 'lessons',
      amount: { of: 'price', part: 'equal' },
      fundBy: { date: 'pay-by' },
      when: { any: [{ confirmed: ['student'] }, { since: { confirmed: ['school'] }, days: 3 }] },
      by: { date: 'end' },
      pay: [{ to: 'school', take: 'rest' }],
      otherwise: [{ to: 'payers', take: 'rest' }],
      failsAlone: true,
      objects: ['student'],
    },
  ],
  exits: [
    {
      key: 'student-stops',
      en: 'the student stops',
      zh: '学员退课',
      when: { confirmed: ['student'] },
      rows: [{ days: 0, pay: [{ to: 'payers', take: 'rest' }] }],
    },
    {
      key: 'school-gone',
      en: 'the school has closed down',
      zh: '机构停业',
      when: { review: true },
      rows: [{ days: 0, pay: [{ to: 'payers', take: 'rest' }] }],
    },
  ],
};
