# Writes sampling-errors.json: Gaussian mixed models of scores whose own standard errors are known, by R's metafor (rma.uni,
# rma.mv: residual variance sigma^2 + s_i^2), on data that this program draws; and Satterthwaite's degrees of freedom by
# their definition, 2 v^2 / (g' C g), from a restricted likelihood written out here. Rscript make-sampling-errors.R
# (Debian: apt-get install r-base-core r-cran-metafor r-cran-jsonlite)
suppressPackageStartupMessages({ library(metafor); library(jsonlite) })
options(warn = 1)
software <- paste0("R ", R.version$major, ".", R.version$minor, ", metafor ", packageVersion("metafor"))
keep <- function(x) signif(x, 12)

set.seed(23)
d <- expand.grid(plw = c(0, 0.01, 0.1, 0.3, 1), seed = paste0("s", 1:4), task = paste0("t", 1:5), stringsAsFactors = FALSE)
d$wp <- keep(d$plw^0.30103)
d$cell <- paste(d$plw, d$seed)
d$block <- paste(d$task, d$seed)
at <- function(x, by) x[as.integer(factor(by))]
items <- at(c(40, 150, 300, 60, 1000), d$task)
p <- plogis(at(rnorm(5, 0.3, 0.8), d$task) + at(rnorm(20, 0, 0.15), d$block) + at(rnorm(20, 0, 0.2), d$cell) +
  1.6 * d$wp - 1.2 * d$wp^2 + rnorm(nrow(d), 0, 0.25))
d$score <- keep(rbinom(nrow(d), items, p) / items)
d$standard_error <- keep(sqrt(d$score * (1 - d$score) / items))
# Standard errors so large that they explain all that differs.
d$large <- keep(4 * d$standard_error)
d$row <- seq_len(nrow(d))
X <- model.matrix(~ wp + I(wp^2), d)

# -2 x the restricted log-likelihood, but for a constant, of variances theta = (sigma^2, of each grouping).
parts <- function(groups) c(list(diag(nrow(d))), lapply(groups, function(g) tcrossprod(model.matrix(~ 0 + factor(d[[g]])))))
covariance <- function(theta, pieces, s) Reduce(`+`, Map(`*`, theta, pieces)) + diag(s^2)
deviance <- function(theta, pieces, s) {
  V <- covariance(theta, pieces, s); W <- solve(V); A <- t(X) %*% W %*% X
  r <- d$score - X %*% solve(A, t(X) %*% W %*% d$score)
  as.numeric(determinant(V)$modulus + determinant(A)$modulus + t(r) %*% W %*% r)
}
satterthwaite <- function(theta, pieces, s) {
  n <- length(theta); h <- 1e-3 * theta
  shift <- function(i, a) { theta[i] <- theta[i] + a; theta }
  vcov <- function(t) { V <- covariance(t, pieces, s); solve(t(X) %*% solve(V) %*% X) }
  f <- function(t) deviance(t, pieces, s)
  H <- matrix(0, n, n)
  for (i in 1:n) for (j in 1:n) {
    two <- function(a, b) { t <- theta; t[i] <- t[i] + a * h[i]; t[j] <- t[j] + b * h[j]; f(t) }
    H[i, j] <- (two(1, 1) - two(1, -1) - two(-1, 1) + two(-1, -1)) / (4 * h[i] * h[j])
  }
  C <- 2 * solve(H)
  g <- sapply(1:n, function(i) diag(vcov(shift(i, h[i])) - vcov(shift(i, -h[i]))) / (2 * h[i]))
  v <- diag(vcov(theta))
  2 * v^2 / rowSums((g %*% C) * g)
}

fit <- function(formula, groups, column, method, df) {
  s <- d[[column]]
  control <- list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-15, maxit = 10000)
  m <- if (length(groups) == 0)
    rma.uni(score, sei = s, mods = ~ wp + I(wp^2), data = d, method = method, control = list(threshold = 1e-12, maxiter = 1e4))
  else rma.mv(score, s^2, mods = ~ wp + I(wp^2), data = d, method = method, control = control,
    random = lapply(c("row", groups), function(g) as.formula(paste("~ 1 |", g))))
  theta <- if (length(groups) == 0) m$tau2 else m$sigma2
  # metafor's restricted likelihood has log |X'X| / 2 more than lme4's and glmmTMB's.
  logLik <- as.numeric(logLik(m)) - if (method == "REML") 0.5 * as.numeric(determinant(crossprod(X))$modulus) else 0
  list(formula = formula, samplingError = column, reml = method == "REML", estimates = keep(as.numeric(m$beta)),
    standardErrors = keep(sqrt(diag(m$vb)) |> unname()), variances = I(keep(theta)), logLik = keep(logLik),
    df = if (df) keep(unname(satterthwaite(theta, parts(groups), s))) else I(numeric(0)))
}
fits <- list(
  fit("score ~ wp + wp^2", c(), "standard_error", "REML", TRUE),
  fit("score ~ wp + wp^2", c(), "standard_error", "ML", FALSE),
  fit("score ~ wp + wp^2 + (1|block)", "block", "standard_error", "REML", TRUE),
  fit("score ~ wp + wp^2 + (1|block) + (1|cell)", c("block", "cell"), "standard_error", "REML", TRUE),
  fit("score ~ wp + wp^2 + (1|task)", "task", "large", "REML", FALSE)
)
d$row <- NULL
write_json(list(software = software, data = d, fits = fits), "sampling-errors.json", digits = NA, auto_unbox = TRUE, pretty = FALSE)
