import { createPlatform } from '@/platform/web';

export const platform = createPlatform();
