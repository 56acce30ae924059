internal import CLinux
internal import Glibc

/// What the system lets this process use.
package enum ProcessLimits {
  /// Raises the soft limit of descriptors to the hard one and returns the limit that holds now. A connection
  /// takes two; the common soft limit of 1024 is for programs that use select(2), and this one does not.
  package static func raiseDescriptorLimit() -> Int {
    var limit = rlimit()
    guard unsafe countersign_get_descriptor_limit(&limit) == 0 else { return 1_024 }
    let before = limit.rlim_cur
    limit.rlim_cur = limit.rlim_max
    if before < limit.rlim_max, unsafe countersign_set_descriptor_limit(&limit) != 0 {
      return Int(clamping: before)
    }
    return Int(clamping: limit.rlim_cur)
  }

  /// How many threads can run at once: the CPUs of the affinity mask, or fewer where a control group (v1 or
  /// v2, its own or one above) has a quota, rounded up; at least 1.
  package static func availableProcessors() -> Int {
    let affinity = Int(countersign_affinity_count())
    let allowed = affinity > 0 ? affinity : 1
    guard let quota = quotaProcessors() else { return allowed }
    return max(1, min(allowed, quota))
  }

  /// The least quota on the way up: each level binds.
  private static func quotaProcessors() -> Int? {
    guard let groups = readSmallFile("/proc/self/cgroup") else { return nil }
    var quotas: [CPUQuota] = []
    if let path = ControlGroup.unifiedPath(groups) {
      for folder in ControlGroup.folders(of: path, in: "/sys/fs/cgroup") {
        if let quota = readSmallFile(folder + "/cpu.max").flatMap({ CPUQuota(cpuMax: $0) }) {
          quotas.append(quota)
        }
      }
    }
    if let path = ControlGroup.processorPath(groups) {
      for folder in ControlGroup.folders(of: path, in: "/sys/fs/cgroup/cpu") {
        if let quota = readSmallFile(folder + "/cpu.cfs_quota_us"),
          let period = readSmallFile(folder + "/cpu.cfs_period_us"),
          let parsed = CPUQuota(cfsQuota: quota, cfsPeriod: period)
        {
          quotas.append(parsed)
        }
      }
    }
    return quotas.map(\.processors).min()
  }
}
