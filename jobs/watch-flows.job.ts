import { dayToWatch, makeMonthlyReports, makeTaxReports, watchDay } from '../src/supervision/index.js';
import type { JobDefinition } from './job.js';

export const watchFlowsJob: JobDefinition = {
  name: 'watch-flows',
  en: 'looks at the flows of the oldest natural day that nobody has looked at, and makes reports of months and quarters that are over; key: all',
  zh: '大额与可疑交易监测、涉税与存管报告',
  concurrency: 1,
  async run({ rt }) {
    const date = await dayToWatch(rt);
    if (date !== undefined) await watchDay(rt, date);
    const made = (await makeTaxReports(rt)) + (await makeMonthlyReports(rt));
    return (date === undefined ? 0 : 1) + made;
  },
};
