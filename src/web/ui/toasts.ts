import { Toast } from '@base-ui/react/toast';

/** Short notes that come and go: what was done, and where it is. */
export const toasts = Toast.createToastManager();
