/**
 * Opening a notebook starts its kernel, unless told not to. A kernel that runs already is used all
 * the same.
 */
export const NO_KERNEL = {
  kernelPreference: { shouldStart: false, autoStartDefault: false }
};
