// The member `grad` of tensors.

import { ArgumentError } from "../errors.ts";
import { addon } from "../native/addon.ts";
import { adopt } from "../scope.ts";
import { Tensor } from "../tensor.ts";

Object.defineProperty(Tensor.prototype, "grad", {
  get(this: Tensor): Tensor | null {
    const handle = addon.grad(this.handle);
    return handle === null ? null : adopt(handle);
  },
  set(this: Tensor, value: Tensor | null) {
    if (value !== null && !(value instanceof Tensor))
      throw new ArgumentError("grad: expected a tensor or null", {
        argument: "grad",
        expected: "Tensor?",
        received: typeof value,
      });
    addon.setGrad(this.handle, value === null ? null : value.handle);
  },
  configurable: true,
});
