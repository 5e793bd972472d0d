// The parts of the API, and what the description says of each. Text only.

/** In the order in which they are met. */
export const TAGS = {
  companies: "The vendor's customers, registered and removed by the vendor alone.",
  keyrings: 'Each company has one or more, and each a company key of its own, under which its data keys are.',
  connections: "How a company's vault key is reached, whether it can be, and what its Azure admin must do.",
  'sign-ins': 'Pages for administrators: a link, the sign-in at Microsoft or Google, and the question they answer.',
  'vault-claims': 'Which company a vault key belongs to: no two companies share one.',
  tenants: "Microsoft 365 and Google Workspace tenants in a company's data, whose administrators agree to a switch.",
  switches: 'Moving the data keys of a keyring under another key, without downtime; steering that, and undoing it.',
  'data-keys': "What the vendor's backend encrypts with: generated or imported, unwrapped, deleted, restored.",
  webhooks: 'Events sent on to the vendor or a company as they are recorded, signed, and kept until they are taken.',
  events: 'The record of what was done, and the check that nobody has changed it.',
  operations: "How Keyswitch itself is, for the vendor's operators: timers, instances, what stands still and why.",
  health: 'For load balancers, and for operators.',
  meta: 'This description.',
} as const;

export type Tag = keyof typeof TAGS;
