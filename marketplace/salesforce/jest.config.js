// How are the components tested outside Salesforce? https://github.com/salesforce/sfdx-lwc-jest
const { jestConfig } = require("@salesforce/sfdx-lwc-jest/config");

module.exports = {
  ...jestConfig,
  modulePathIgnorePatterns: ["<rootDir>/.localdevserver"],
};
