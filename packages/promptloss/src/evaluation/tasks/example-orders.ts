// How the examples before an item are chosen from the split that gives them.
export const EXAMPLE_ORDERS = ["drawn", "first"] as const;
