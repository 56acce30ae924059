/// How much processor time a control group may use: so many microseconds in each period.
struct CPUQuota: Equatable {
  let quota: Int64
  let period: Int64

  /// The content of cgroup v2's `cpu.max`: `200000 100000`, or `max 100000` for no limit (nil). Anything else
  /// is nil too: the kernel writes this file, and without a limit that we can read there is none to obey.
  init?(cpuMax text: String) {
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.count == 2 else { return nil }
    self.init(quota: words[0], period: words[1])
  }

  /// cgroup v1's `cpu.cfs_quota_us` (-1: no limit) and `cpu.cfs_period_us`.
  init?(cfsQuota: String, cfsPeriod: String) {
    guard let quota = cfsQuota.split(whereSeparator: \.isWhitespace).first,
      let period = cfsPeriod.split(whereSeparator: \.isWhitespace).first
    else { return nil }
    self.init(quota: quota, period: period)
  }

  private init?(quota: Substring, period: Substring) {
    guard let quota = Int64(quota), let period = Int64(period), quota > 0, period > 0 else { return nil }
    self.quota = quota
    self.period = period
  }

  /// Processors, rounded up: half a processor still needs a thread.
  var processors: Int {
    let whole = quota / period
    return Int(clamping: quota % period == 0 ? whole : whole + 1)
  }
}

/// Where in /sys/fs/cgroup the quotas of this process stand, read from the text of /proc/self/cgroup.
enum ControlGroup {
  /// The folders of the process's group in a hierarchy and of all groups above, deepest first, each ending
  /// in no slash. A container without a cgroup namespace sees the host's path, which its own mount does not
  /// have: the root of the mount is its group then, and it is always last.
  static func folders(of path: Substring, in mount: String) -> [String] {
    var parts = path.split(separator: "/").filter { $0 != ".." && $0 != "." }
    var found: [String] = []
    while !parts.isEmpty {
      found.append(mount + "/" + parts.joined(separator: "/"))
      parts.removeLast()
    }
    return found + [mount]
  }

  /// The path in the unified hierarchy (`0::/path`), cgroups(7).
  static func unifiedPath(_ text: String) -> Substring? {
    path(text) { id, controllers in id == "0" && controllers.isEmpty }
  }

  /// The path in the v1 hierarchy of the cpu controller (`4:cpu,cpuacct:/path`).
  static func processorPath(_ text: String) -> Substring? {
    path(text) { _, controllers in controllers.split(separator: ",").contains("cpu") }
  }

  private static func path(_ text: String, _ matches: (Substring, Substring) -> Bool) -> Substring? {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      if parts.count == 3, matches(parts[0], parts[1]) { return parts[2] }
    }
    return nil
  }
}
