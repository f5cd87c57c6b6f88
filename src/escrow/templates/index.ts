import { parseTemplate, type Template } from '../template.js';
import { commodityTrade } from './commodity-trade.js';
import { crowdfunding } from './crowdfunding.js';
import { housingDeposit } from './housing-deposit.js';
import { rent } from './rent.js';
import { supervisedPrepayment } from './supervised-prepayment.js';
import { travelDeposit } from './travel-deposit.js';

/** The ready-made templates, by name; a version that deals were made of stays as it is, and a better one has the next number. */
export const TEMPLATES: ReadonlyMap<string, Template> = new Map(
  [housingDeposit, travelDeposit, crowdfunding, commodityTrade, supervisedPrepayment, rent].map((data) => {
    const template = parseTemplate(data);
    return [template.name, template];
  }),
);
