import type { Kind } from '../kind.js';
import { accountClosing } from './account-closing.js';
import { accountPayment } from './account-payment.js';
import { acquirerFee } from './acquirer-fee.js';
import { bulkRelease } from './bulk-release.js';
import { channelSettled, collectionCredited } from './collections.js';
import { correctionOf } from './correction.js';
import { disputeEnd, disputeOpen } from './dispute.js';
import { escrowFailure, escrowRefund, escrowRelease } from './escrow-ending.js';
import { escrowFunding, escrowPayment } from './escrow-funding.js';
import { fee } from './fee.js';
import { fundConfirmation, fundFailure, fundIncome } from './funds/company.js';
import { fundAdvance, fundProceeds, fundProceedsPaid, fundSettlement } from './funds/money.js';
import { fundExchange, fundRedemption, fundSubscription } from './funds/orders.js';
import { potPayment } from './funds/pot-payment.js';
import { handOver } from './hand-over.js';
import { capture, hold, release } from './hold.js';
import { interest } from './interest.js';
import { judicialDeduction } from './judicial-deduction.js';
import { bid, bidCancel } from './lending/bid.js';
import { claimPurchase, claimSale, claimSaleCancel } from './lending/claim-trade.js';
import { compensation, recovery } from './lending/compensation.js';
import { lendOut, miscarriage } from './lending/lend-out.js';
import { repayment } from './lending/repayment.js';
import { marginDeposit, marginRelease } from './margin.js';
import { incomingTransfer, topUp } from './money-in.js';
import { ownTransfer } from './own-transfer.js';
import { combinedPayment, payment } from './payment.js';
import { payoutFailed, payoutReturned, payoutSettled } from './payout-results.js';
import { refund } from './refund.js';
import { orderComplete, split, splitReturn } from './split.js';
import { statementAdjustment } from './statement-adjustment.js';
import { subsidy, subsidyReturn } from './subsidy.js';
import { suspenseAttribution, suspenseCredit, suspenseReturn } from './suspense.js';
import { takeOver } from './take-over.js';
import { transfer } from './transfer.js';
import { clearing, withdrawal } from './withdrawal.js';

/** Every kind of instruction: one line each. */
const ALL = [
  payment,
  combinedPayment,
  split,
  splitReturn,
  orderComplete,
  refund,
  subsidy,
  subsidyReturn,
  marginDeposit,
  marginRelease,
  transfer,
  hold,
  release,
  capture,
  bulkRelease,
  disputeOpen,
  disputeEnd,
  withdrawal,
  fee,
  topUp,
  incomingTransfer,
  accountPayment,
  ownTransfer,
  escrowPayment,
  escrowFunding,
  escrowRelease,
  escrowFailure,
  escrowRefund,
  bid,
  bidCancel,
  lendOut,
  miscarriage,
  repayment,
  compensation,
  recovery,
  fundSubscription,
  fundRedemption,
  fundExchange,
  potPayment,
  fundConfirmation,
  fundFailure,
  fundIncome,
  fundProceeds,
  fundProceedsPaid,
  fundSettlement,
  fundAdvance,
  claimSale,
  claimSaleCancel,
  claimPurchase,
  correctionOf((name) => kinds.get(name)),
  clearing,
  accountClosing,
  interest,
  judicialDeduction,
  payoutSettled,
  payoutFailed,
  payoutReturned,
  acquirerFee,
  statementAdjustment,
  channelSettled,
  collectionCredited,
  suspenseCredit,
  suspenseAttribution,
  suspenseReturn,
  takeOver,
  handOver,
] as unknown as readonly Kind[];

export const kinds: ReadonlyMap<string, Kind> = new Map(ALL.map((kind) => [kind.name, kind]));
