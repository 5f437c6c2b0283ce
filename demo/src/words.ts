// What the stories are made of: words that a model of children's stories knows.

export const PEOPLE: readonly string[] = [
  ...["Lily", "Anna", "Mia", "Sara", "Lucy", "Emma", "Zoe", "Amy", "Jane", "Molly"],
  ...["Tom", "Ben", "Max", "Sam", "Tim", "Jack", "Leo", "Bob", "Fred", "Mark"],
];

export const COMPANIONS = [
  "mom",
  "dad",
  "grandma",
  "grandpa",
  "brother",
  "sister",
  "friend",
  "dog",
  "cat",
  "teacher",
] as const;

export const PLACES = [
  "park",
  "beach",
  "zoo",
  "farm",
  "forest",
  "garden",
  "lake",
  "store",
  "library",
  "school",
  "playground",
  "river",
] as const;

export const COLOURS = [
  "red",
  "blue",
  "green",
  "yellow",
  "pink",
  "purple",
  "white",
  "black",
  "brown",
  "grey",
] as const;

export const THINGS = [
  "ball",
  "hat",
  "kite",
  "box",
  "shell",
  "flower",
  "toy car",
  "book",
  "doll",
  "leaf",
  "stone",
  "balloon",
  "cup",
  "boat",
] as const;

export const FOODS = [
  "an apple",
  "a cookie",
  "some soup",
  "a sandwich",
  "some cake",
  "a banana",
  "some bread",
  "a pear",
  "some cheese",
  "ice cream",
  "a carrot",
  "some rice",
] as const;

export const FEELINGS = [
  "happy",
  "sad",
  "tired",
  "proud",
  "scared",
  "excited",
  "angry",
  "surprised",
] as const;

export const WEATHER = ["sunny", "rainy", "windy", "cold", "cloudy", "snowy", "hot", "foggy"] as const;
