import { createContext, useContext } from 'react';
import type { Device } from '@/lib/watermelon';

export const DeviceContext = createContext<Device | null>(null);

/** @returns the open device. @throws in components outside `DeviceContext` */
export function useDevice(): Device {
  const device = useContext(DeviceContext);
  if (!device) throw new Error('No device is open here.');
  return device;
}
