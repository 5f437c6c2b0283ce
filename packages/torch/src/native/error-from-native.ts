// From what the addon says of a failure to the error class that says it to the caller.
import {
  ArgumentError,
  OperatorError,
  OutOfMemoryError,
  ShapeError,
  TorchError,
  UnknownOperatorError,
  UseAfterFreeError,
} from "../errors.ts";

// How libtorch 1.13 to 2.13 words the mismatches of sizes and dimensions.
const shapeMessages =
  /size|shape|dimension|dim\b|broadcast|expand|out of range|2D|3D|matrix|matrices|numel|elements|same length/i;
const memoryMessages = /can't allocate memory|out of memory|not enough memory|defaultcpuallocator/i;

const noBackend = /Could not run '.*' with arguments from the '(\w+)' backend\./;

/** libtorch goes on for pages about every backend that it has; the first sentence says it. */
function withoutDevice(
  message: string,
  operator: string | undefined,
  shapes: readonly string[],
): OperatorError {
  const end = message.indexOf("' backend.") + "' backend.".length;
  return new OperatorError(
    message.slice(0, end),
    operator,
    shapes,
    "this libtorch does not have the operator on this device; availableDevices() lists the devices that it can use",
  );
}

/** Turns what the addon says (a code, a message, string fields) into an error of the right class. */
export function errorFromNative(code: string, message: string, fields: Record<string, string>): TorchError {
  const shapes = fields.shapes ? fields.shapes.split("; ") : [];
  switch (code) {
    case "use-after-free":
      return new UseAfterFreeError(message);
    case "unknown-operator":
      return new UnknownOperatorError(
        message,
        fields.operator ?? "",
        fields.overloads ? fields.overloads.split(", ") : [],
      );
    case "argument":
      return new ArgumentError(message, fields);
    case "out-of-memory":
      return new OutOfMemoryError(message, fields.operator, shapes);
    case "operator":
      if (noBackend.test(message)) return withoutDevice(message, fields.operator, shapes);
      if (/not resizable/.test(message))
        return new OperatorError(
          message,
          fields.operator,
          shapes,
          "others see the tensor's memory: asTypedArray() gave it out, or fromTypedArray() or a file shares it; resize a clone()",
        );
      if (memoryMessages.test(message)) return new OutOfMemoryError(message, fields.operator, shapes);
      if (shapeMessages.test(message)) return new ShapeError(message, fields.operator, shapes);
      return new OperatorError(message, fields.operator, shapes);
    default:
      return new TorchError(message);
  }
}
