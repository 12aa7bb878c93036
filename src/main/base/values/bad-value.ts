// What is wrong with a value, said so that it can follow the column and the text: «price "abc" is not a number».

/** Thrown once a bad row; one costs about what parsing ten good rows does. */
export class BadValue extends Error {}

/** A value of the right kind that is more than there is room for. */
export class BeyondLimits extends BadValue {}
