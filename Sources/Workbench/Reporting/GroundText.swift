internal import AccessPolicy

extension Explanation.Ground {
  /// `listeners: expected api, found db`.
  var text: String { "\(field): expected \(expected), found \(value ?? "nothing")" }

  var json: JSONTree {
    .object(["field": .text(field), "expected": .text(expected), "value": .text(value)])
  }
}

extension Explanation.EntryOutcome {
  /// What an entry of `callers` said, in words.
  var text: String {
    switch self {
    case .matched(let caller): "matches: \(caller)"
    case .ambiguous(let names): "ambiguous: it could name \(names.joined(separator: " and "))"
    case .failed(let ground): ground.text
    case .patternLimit(let ground): "undecided, a regex met its limits: \(ground.text)"
    case .notReached: "not asked: an earlier entry settled it"
    }
  }
}

extension Explanation.RuleOutcome {
  /// What a rule said, in words.
  var text: String {
    switch self {
    case .matched: "matches"
    case .failed(let ground): ground.text
    case .patternLimit(let ground): "undecided, a regex met its limits: \(ground.text)"
    }
  }
}

extension VerdictReason {
  /// The reason as a sentence for people.
  package var sentence: String {
    switch self {
    case .rule: "a rule decides"
    case .default: "no rule allows it"
    case .callerUnmapped: "no entry of 'callers' matches the certificate"
    case .callerAmbiguous: "the certificate names more than one caller"
    case .nameUnreadable: "a name in the certificate cannot be read exactly"
    case .patternLimit: "a regex met its limits, so nobody knows"
    }
  }
}
