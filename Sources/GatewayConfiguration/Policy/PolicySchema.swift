import AccessPolicy

/// Every mapping of a policy file. The keys of `match`, `when`, `unless` and `given` are the fields.
enum PolicySchema {
  static let root = Schema(
    path: "", noun: "a policy file",
    keys: [.required("version"), .optional("callers"), .optional("rules"), .optional("tests")])

  static let caller = Schema(
    path: "callers[]", noun: "a caller",
    keys: [.required("name"), .required("match"), .optional("groups")])

  static let rule = Schema(
    path: "rules[]", noun: "a rule",
    keys: [
      .required("name"), .required("action"), .optional("callers"), .optional("listeners"),
      .optional("when"), .optional("unless"), .optional("mode"), .optional("expires"),
    ])

  static let test = Schema(
    path: "tests[]", noun: "a test",
    keys: [
      .required("name"), .required("given"), .required("expect"), .optional("at"), .optional("caller"),
      .optional("rule"), .optional("reason"), .optional("shadow"),
    ])

  static let window = Schema(
    path: "time", noun: "a time window",
    keys: [.optional("after"), .optional("before"), .optional("days"), .required("zone")])

  /// The named forms of a value: `{glob: }` and its like.
  static let matcher = Schema(
    path: "matcher", noun: "a matcher",
    keys: [
      .optional("glob"), .optional("regex"), .optional("prefix"), .optional("suffix"), .optional("cidr"),
      .optional("min"), .optional("max"), .optional("present"),
    ])

  static let all = [root, caller, rule, test, window, matcher]

  /// What people can write as a key of a condition.
  static let fieldNames = Field.allCases.map(\.name)
}
