/** The codes with which commands end; the help and docs/agents.md list them. */

import type { AppError, ValidationError } from '@/core/errors';
import type { MachineError } from '@/machine/errors';

export const EXIT = { done: 0, failed: 1, usage: 2, notSignedIn: 3, notFound: 4, needsPerson: 5 } as const;

type Exit = (typeof EXIT)[keyof typeof EXIT];

const MACHINE_EXITS: Readonly<Record<MachineError['code'], Exit>> = {
  not_signed_in: EXIT.notSignedIn,
  // The same command line with a name that means one alone is the remedy.
  ambiguous: EXIT.usage,
  not_linked: EXIT.failed,
  bad_link: EXIT.failed,
  not_found: EXIT.notFound,
  needs_terminal: EXIT.failed,
  needs_person: EXIT.needsPerson,
  cancelled: EXIT.failed,
  usage: EXIT.usage,
  bad_choice: EXIT.failed,
  bad_settings: EXIT.failed,
  unreachable: EXIT.failed,
};

/** A value that can never be right is wrong usage; one that what is there does not allow is refused. */
const VALIDATION_EXITS: Readonly<Record<ValidationError['code'], Exit>> = {
  required: EXIT.usage,
  too_long: EXIT.usage,
  bad_character: EXIT.usage,
  bad_id: EXIT.usage,
  bad_value: EXIT.usage,
  unknown_stage: EXIT.usage,
  unknown_field: EXIT.usage,
  ambiguous: EXIT.usage,
  not_found: EXIT.notFound,
  cycle: EXIT.failed,
  duplicate: EXIT.failed,
};

/** @returns the code with which a command ends that fails so */
export function exitOf(detail: AppError | MachineError): Exit {
  switch (detail.kind) {
    case 'machine':
      return MACHINE_EXITS[detail.code];
    case 'validation':
      return VALIDATION_EXITS[detail.code];
    case 'auth':
      return EXIT.notSignedIn;
    case 'rejected':
      return detail.code === 'not_found' ? EXIT.notFound : EXIT.failed;
    default:
      return EXIT.failed;
  }
}
